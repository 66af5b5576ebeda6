package document

import (
	"errors"
	"fmt"
)

// Errors that a *SyntaxError is (errors.Is), whatever its offset.
var (
	ErrTruncated = errors.New("json ends too early")
	ErrTooDeep   = errors.New("json nested deeper than 256")
)

// Problem says what kind of damage a SyntaxError is about, closely enough for
// a repair to be chosen.
type Problem uint8

// The problems.
const (
	UnexpectedByte Problem = iota // a byte that cannot stand at the offset
	Truncated                     // the data ends inside the value
	TooDeep                       // more than MaxDepth containers are open
	TrailingData                  // a complete value, then something else at the offset
	SingleQuote                   // ' where a name or value should begin
	ControlChar                   // raw byte below 0x20 inside a string
	BadEscape                     // a backslash (the offset) that begins no JSON escape
	InnerQuote                    // the byte at the offset follows a closed string and cannot: the quote before it was probably meant literally
	BadNumber                     // a number that JSON does not allow
	BadLiteral                    // something that begins like true, false or null
	Oversize                      // 4 GiB or more
)

var problemNames = [...]string{
	"unexpected byte", "truncated", "nested too deep", "trailing data", "single quote", "control character in string",
	"bad escape", "text after string", "bad number", "bad literal", "too large",
}

// String returns the problem in a few words.
func (p Problem) String() string {
	if int(p) >= len(problemNames) {
		return "unknown problem"
	}
	return problemNames[p]
}

// SyntaxError says what is wrong with a JSON text, and where.
type SyntaxError struct {
	Offset  int     // bytes before the one that is wrong, counted in the data given to Parse, ParsePrefix or Skip
	Problem Problem //
	Msg     string  // for a person; constant text, never content of the record
}

// Error returns the problem and its offset.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("json offset %d: %s", e.Offset, e.Msg)
}

// Is reports whether target is the sentinel for e's problem.
func (e *SyntaxError) Is(target error) bool {
	return target == ErrTruncated && e.Problem == Truncated ||
		target == ErrTooDeep && e.Problem == TooDeep
}

func syntaxError(off int, p Problem) error {
	return &SyntaxError{Offset: off, Problem: p, Msg: p.String()}
}
