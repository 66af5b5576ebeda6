// Package sigma reads, checks, compiles and evaluates Sigma rules
// (specification 2.1, https://github.com/SigmaHQ/sigma-specification) against
// events of any shape. The host says what an event is ([Event]); the package
// knows nothing else of it.
//
// [Parse] turns a file into documents, [Compile] a detection into a [Matcher],
// [NewSet] many matchers into one index. A Matcher on its own is the plain
// evaluation that the index is held against.
//
// # How values match
//
// A field of an event has any number of values (arrays are transparent), and a
// value of a rule holds when any of them matches:
//
//   - Text is compared without regard to case (simple Unicode folding), unless
//     the modifier cased is given. * and ? are wildcards, \* and \? the
//     characters, \\ a backslash; a backslash before anything else is itself.
//   - A number matches a JSON number of equal value, and a string that spells
//     it the same way. true and false match the booleans and the strings "true"
//     and "false" in any case, since many logs write "True".
//   - null matches a field that is missing or that has a null among its values.
//     An empty text is no null, and matches only an empty text.
//   - exists: true needs a value that is not missing; null and "" exist.
//   - An object or array that ends a path is compared by its raw JSON.
//   - not negates the whole search: with "not s" and s being "f: x", no value
//     of f may be x, and a missing f satisfies it. neq says the same of one
//     field, so that "f|neq: [x, y]" holds when f is neither, or missing.
//   - all demands that every value of the rule is matched by some value of the
//     event; different elements may match different ones. Where one element of
//     an array has to match several things at once, the field's path must pick
//     that element: how is the host's affair.
//   - A keyword (a list without field names) matches when any string of the
//     event contains it.
package sigma

import (
	"fmt"
	"sync"
)

// Kind tells what a [Value] is.
type Kind byte

// The kinds of values, in the order of JSON's types.
const (
	Missing Kind = iota
	Null
	False
	True
	Number
	String
	Object
	Array
)

// Value is one value of an event's field. Text is the unescaped string, the
// number as written, "true" or "false", the raw JSON of an object or array, and
// "" for the rest.
type Value struct {
	Kind Kind
	Text string
}

// hasText reports whether text patterns may look at the value.
func (v *Value) hasText() bool { return v.Kind > Null }

// Event is what a host lets rules see of one event. It is used by one goroutine
// at a time; the results need to live only until the next call with another
// event.
type Event interface {
	// Values returns all values of the field with this slot; none, or only
	// [Missing] ones, when the event lacks it.
	Values(slot int) []Value
	// Keywords yields every string that keyword searches look at, until yield
	// returns false.
	Keywords(yield func(string) bool)
}

// Fields gives each field name of a set of rules a small number, its slot, so
// that events are asked by index and not by name. Names are kept as the rules
// spell them. It may be used concurrently.
type Fields struct {
	mu    sync.Mutex
	slots map[string]int
	names []string
}

// Slot returns the slot of a field, adding it when it is new.
func (f *Fields) Slot(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s, ok := f.slots[name]; ok {
		return s
	}
	if f.slots == nil {
		f.slots = make(map[string]int)
	}
	s := len(f.names)
	f.slots[name] = s
	f.names = append(f.names, name)
	return s
}

// Names returns the field names by slot.
func (f *Fields) Names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.names...)
}

// Error is a mistake in a rule file, or a warning about one, at its position.
// Line and Column count from 1; Msg also says what would be right.
type Error struct {
	File         string
	Line, Column int
	Msg          string
	Unset        string // of the warning of a placeholder that has no list: its name
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
}
