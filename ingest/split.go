package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"unsafe"

	"phiwatch/ingest/document"
)

// maxNesting bounds arrays in arrays and messages in messages; what is deeper
// is one record.
const maxNesting = 8

// splitter finds the records of a body. Each byte is read once unless
// something is damaged.
type splitter struct {
	to      *Decoder
	message Message
	data    []byte // the body, or a record of it that was repaired
	pos     int
	index   int    // records so far in the message
	carried Repair // what was repaired around the next record
	nesting int
	shaken  bool // something was damaged, so brackets are not to be trusted
	ended   bool // it was told that the data ends too early
	mended  bool // data was already repaired; do not try again
	work    int  // bytes read in vain, to bound damaged bodies
	last    int  // where the last sound record began, -1 before the first

	// span is told the extent of each record, and of each member left out, for tests.
	span func(start, end int)
}

func (s *splitter) reset(m Message) {
	*s = splitter{to: s.to, message: m, last: -1, span: s.span}
}

var byteOrderMark = []byte("\ufeff")

// split walks the body.
func (s *splitter) split(body []byte) {
	s.data = body
	if bytes.HasPrefix(body, byteOrderMark) {
		s.pos = len(byteOrderMark)
	}
	s.skipSpace()
	switch {
	case s.pos == len(body):
		s.to.reject(-1, Empty, "no bytes but white space", body)
	case s.peek() != '{' && s.peek() != '[' && s.soleValue():
	default:
		s.values()
	}
}

// soleValue accepts a body that is one scalar.
func (s *splitter) soleValue() bool {
	n, err := s.to.doc.ParsePrefix(s.data[s.pos:])
	if err != nil || skipSpace(s.data, s.pos+n) < len(s.data) {
		return false
	}
	s.took(s.pos, len(s.data))
	s.pos = len(s.data)
	s.to.accept(0)
	return true
}

// values reads the values at the top of the body. Commas and closing brackets
// between them are what is left of a message that was cut out of its wrapper.
func (s *splitter) values() {
	for {
		s.skipSpace()
		if s.pos >= len(s.data) {
			return
		}
		switch c := s.peek(); {
		case c == '{':
			s.object(false)
		case c == '[':
			s.pos++
			s.elements()
		case (c == ',' || c == ']' || c == '}') && s.index > 0:
			s.carried |= RepairedJoined
			s.pos++
		default:
			s.garbage()
		}
	}
}

// elements reads an array from behind its bracket to behind its closing one.
func (s *splitter) elements() {
	s.nesting++
	defer func() { s.nesting-- }()
	for {
		s.skipSpace()
		if s.pos >= len(s.data) {
			s.cut()
			return
		}
		switch c := s.peek(); {
		case c == ']':
			s.pos++
			return
		case c == ',':
			s.pos++
		case c == '[' && s.nesting < maxNesting:
			s.pos++
			s.elements()
		case c == '{':
			s.object(true)
		case c == '}':
			s.carried |= RepairedJoined
			s.pos++
		default:
			s.scalar()
		}
	}
}

// cut reports an array that was not closed: records after the last one, if
// there were any, are lost. Once is enough for arrays in arrays, and bytes put
// aside up to the end have told it already.
func (s *splitter) cut() {
	if s.ended {
		return
	}
	s.ended = true
	s.to.reject(s.index, Truncated, fmt.Sprintf("the array of records is not closed at offset %d", s.pos), nil)
}

// object reads a message or a record.
func (s *splitter) object(inArray bool) {
	if after, ok := wrapper(s.data, s.pos); ok && s.nesting < maxNesting {
		s.pos = after
		s.elements()
		s.members()
		return
	}
	s.record(inArray)
}

// wrapper reports whether the object at i begins with the member "records",
// an array, and where that array's elements begin.
func wrapper(data []byte, i int) (after int, ok bool) {
	i = skipSpace(data, i+1)
	const name = `"records"`
	if len(data)-i < len(name) || data[i] != '"' || !bytes.EqualFold(data[i:i+len(name)], []byte(name)) {
		return 0, false
	}
	i = skipSpace(data, i+len(name))
	if i >= len(data) || data[i] != ':' {
		return 0, false
	}
	i = skipSpace(data, i+1)
	if i >= len(data) || data[i] != '[' {
		return 0, false
	}
	return i + 1, true
}

// members reads what follows the records in their wrapper. Damage there is
// left to the caller, and so is what follows damaged records: it may be a rest
// of them, with records behind it.
func (s *splitter) members() {
	for {
		s.skipSpace()
		if s.pos >= len(s.data) {
			return
		}
		switch c := s.peek(); {
		case c == '}':
			s.pos++
			return
		case c != ',' || s.shaken:
			return
		}
		if after, ok := wrapper(s.data, s.pos); ok { // a second array of records
			s.pos = after
			s.elements()
			continue
		}
		end, ok := member(s.data, s.pos+1)
		if !ok {
			return
		}
		s.took(s.pos, end)
		s.pos = end
	}
}

// member returns where the member at i ends.
func member(data []byte, i int) (end int, ok bool) {
	i = skipSpace(data, i)
	if i >= len(data) || data[i] != '"' {
		return 0, false
	}
	n, err := document.Skip(data[i:])
	if err != nil {
		return 0, false
	}
	i = skipSpace(data, i+n)
	if i >= len(data) || data[i] != ':' {
		return 0, false
	}
	n, err = document.Skip(data[i+1:])
	if err != nil {
		return 0, false
	}
	return i + 1 + n, true
}

// record reads one record.
func (s *splitter) record(inArray bool) {
	start := s.pos
	n, err := s.parse(start)
	if err != nil {
		s.damaged(start, err)
		return
	}
	s.pos = start + n
	s.last = start
	s.took(start, s.pos)
	s.to.accept(s.joined(inArray) | s.carry())
}

// parse parses the object or array at start. The parser looks ahead for the
// next quote, so it is shown no more than a window, and more only if that ends
// too early: else small records without a quote would take the square of their
// number.
func (s *splitter) parse(start int) (n int, err error) {
	for window := 64 << 10; ; window *= 4 {
		end := min(start+window, len(s.data))
		n, err = s.to.doc.ParsePrefix(s.data[start:end])
		if err == nil || end == len(s.data) || !errors.Is(err, document.ErrTruncated) {
			return n, err
		}
	}
}

// joined looks at what follows a record: damage there is a repair of it.
func (s *splitter) joined(inArray bool) Repair {
	i := skipSpace(s.data, s.pos)
	if i >= len(s.data) {
		return 0
	}
	switch c := s.data[i]; {
	case inArray && c != ',' && c != ']', !inArray && (c == ',' || c == ']' || c == '}'):
		return RepairedJoined
	}
	return 0
}

// carry returns the repairs made before a record, once.
func (s *splitter) carry() Repair {
	r := s.carried
	if !s.mended {
		s.carried = 0
	}
	return r
}

// scalar reads an element that is neither object nor array, or one that is
// nested too deep to be taken apart.
func (s *splitter) scalar() {
	start := s.pos
	if s.peek() == '[' {
		s.record(true)
		return
	}
	n, err := document.Skip(s.data[start:])
	if err == nil {
		_, err = s.to.doc.ParsePrefix(s.data[start : start+n])
	}
	if err == nil {
		switch i := skipSpace(s.data, start+n); {
		case i >= len(s.data), s.data[i] == ',', s.data[i] == ']':
			s.pos = start + n
			s.took(start, s.pos)
			s.to.accept(s.carry())
			return
		}
	}
	s.garbage()
}

// nested decodes the elements of an array that a record turned out to hold:
// it was a message whose "records" is not its first member.
func (s *splitter) nested(array []byte) {
	s.within(array, func() {
		s.pos = 1
		s.elements()
	})
}

// within runs walk over other data than the body.
func (s *splitter) within(data []byte, walk func()) {
	outer := *s
	s.data, s.pos, s.last, s.span = data, 0, -1, nil
	walk()
	s.data, s.pos, s.last, s.span = outer.data, outer.pos, outer.last, outer.span
	s.mended, s.ended, s.carried = outer.mended, outer.ended, 0
}

func (s *splitter) took(start, end int) {
	if s.span != nil && !s.mended {
		s.span(start, end)
	}
}

func (s *splitter) peek() byte { return s.data[s.pos] }

func (s *splitter) skipSpace() { s.pos = skipSpace(s.data, s.pos) }

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// text views bytes that nobody will modify as a string.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// reasonFor names the reason and detail of a parse error at offset base.
func reasonFor(err error, base int) (Reason, string) {
	reason := NotJSON
	switch {
	case errors.Is(err, document.ErrTooDeep):
		reason = TooDeep
	case errors.Is(err, document.ErrTruncated):
		reason = Truncated
	}
	if syntax, ok := errors.AsType[*document.SyntaxError](err); ok {
		return reason, fmt.Sprintf("%s at offset %d", syntax.Msg, base+syntax.Offset)
	}
	return reason, err.Error()
}
