package ingest

import (
	"slices"

	"phiwatch/ingest/document"
)

// mend reads one damaged JSON value at the start of in and writes it sound. It
// returns how many bytes it read, and nil if the damage is not of a kind that
// Repair lists. The result may still break JSON's rules for numbers: parse it.
//
// Known damage, each seen in published records: Python's notation of a
// dictionary in place of JSON (platform logs), control characters and line
// breaks inside strings, unescaped Windows paths (Information Protection
// scanner), and a command line with its quotes unescaped (Parameters,
// ExtendedProperties).
//
// No string may reach beyond one of the offsets in walls.
func mend(in []byte, walls []int) (fixed []byte, n int, did Repair) {
	m := mender{in: in, walls: walls, out: make([]byte, 0, len(in)+len(in)/8+16)}
	if !m.value(0, true) {
		return nil, m.i, 0
	}
	return m.out, m.i, m.did
}

type mender struct {
	in  []byte
	i   int
	out []byte
	did Repair

	walls []int
}

// place says where a string stands, which tells what may follow it.
type place uint8

const (
	name place = iota
	memberValue
	element
)

// value reads a value. top allows only an object or an array.
func (m *mender) value(depth int, top bool) bool {
	m.space()
	if m.i >= len(m.in) || depth > document.MaxDepth {
		return false
	}
	switch c := m.in[m.i]; {
	case c == '{':
		return m.container(depth, '}', m.member)
	case c == '[':
		return m.container(depth, ']', m.element)
	case top:
		return false
	}
	return m.word()
}

// container reads what is between brackets.
func (m *mender) container(depth int, closing byte, item func(depth int) bool) bool {
	m.copyByte()
	for first := true; ; first = false {
		m.space()
		if m.i >= len(m.in) {
			return false
		}
		switch c := m.in[m.i]; {
		case c == closing:
			m.copyByte()
			return true
		case !first && c == ',':
			m.copyByte()
		case !first:
			return false
		}
		if !item(depth + 1) {
			return false
		}
	}
}

func (m *mender) member(depth int) bool {
	m.space()
	if !m.quoted(name) {
		return false
	}
	m.space()
	if m.i >= len(m.in) || m.in[m.i] != ':' {
		return false
	}
	m.copyByte()
	m.space()
	return m.quoted(memberValue) || m.value(depth, false)
}

func (m *mender) element(depth int) bool {
	m.space()
	return m.quoted(element) || m.value(depth, false)
}

// words are the literals of JSON and Python.
var words = map[string]string{
	"true": "true", "false": "false", "null": "null",
	"True": "true", "False": "false", "None": "null",
}

// word reads a literal or a number.
func (m *mender) word() bool {
	start := m.i
	for m.i < len(m.in) && wordByte(m.in[m.i]) {
		m.i++
	}
	w := m.in[start:m.i]
	if len(w) == 0 {
		return false
	}
	if c := w[0]; c == '-' || '0' <= c && c <= '9' {
		m.out = append(m.out, w...)
		return true
	}
	json, ok := words[string(w)]
	if json != string(w) {
		m.did |= RepairedQuotes
	}
	m.out = append(m.out, json...)
	return ok
}

func wordByte(c byte) bool {
	return c == '-' || c == '+' || c == '.' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// quoted reads a string in quotes of either kind, false if none is here.
func (m *mender) quoted(at place) bool {
	if m.i >= len(m.in) || m.in[m.i] != '"' && m.in[m.i] != '\'' {
		return false
	}
	quote := m.in[m.i]
	end, stray, inner := m.stringEnd(at, quote)
	if end < 0 {
		return false
	}
	if quote == '\'' {
		m.did |= RepairedQuotes
	} else if inner {
		m.did |= RepairedInnerQuotes
	}
	if stray {
		m.did |= RepairedEscapes
	}
	m.write(m.in[m.i+1:end], quote, stray)
	m.i = end + 1
	return true
}

// stringEnd finds the quote that ends the string at m.i: the first one that is
// followed by what can follow a string here. stray says that a backslash in it
// begins no escape, inner that it holds such quotes.
func (m *mender) stringEnd(at place, quote byte) (end int, stray, inner bool) {
	for j := m.i + 1; j < len(m.in); j++ {
		switch c := m.in[j]; {
		case c == quote:
			if m.ends(j+1, at) {
				return j, stray, inner
			}
			inner = true
		case c == '{' && slices.Contains(m.walls, j):
			return -1, false, false
		case c != '\\' || j+1 >= len(m.in):
		case m.in[j+1] == quote:
			if !stray || !m.ends(j+2, at) {
				j++ // an escaped quote, not a path's last backslash
			}
		case !escape(m.in[j:], quote):
			stray = true
		default:
			j++
		}
	}
	return -1, false, false
}

// escape reports whether b begins with an escape of JSON, or of Python in a
// string in single quotes.
func escape(b []byte, quote byte) bool {
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case '\'', 'x':
		return quote == '\''
	case 'u':
		for _, c := range b[2:min(len(b), 6)] {
			if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
				return false
			}
		}
		return len(b) >= 6
	}
	return false
}

// ends reports whether a string may have ended before i.
func (m *mender) ends(i int, at place) bool {
	i = skipSpace(m.in, i)
	if i >= len(m.in) {
		return at != name
	}
	switch c := m.in[i]; {
	case at == name:
		return c == ':'
	case c == ',' && at == memberValue:
		return m.nameAt(skipSpace(m.in, i+1))
	case c == ',':
		return m.valueAt(skipSpace(m.in, i+1))
	case c == '}' && at == memberValue, c == ']' && at == element:
		i = skipSpace(m.in, i+1)
		return i >= len(m.in) || m.in[i] == ',' || m.in[i] == '}' || m.in[i] == ']' || m.in[i] == '{'
	}
	return false
}

// maxName is how long a name is looked for.
const maxName = 256

// nameAt reports whether a quoted name and a colon stand at i.
func (m *mender) nameAt(i int) bool {
	if i >= len(m.in) || m.in[i] != '"' && m.in[i] != '\'' {
		return false
	}
	quote := m.in[i]
	for j := i + 1; j < len(m.in) && j < i+maxName && m.in[j] >= ' '; j++ {
		if m.in[j] == quote {
			j = skipSpace(m.in, j+1)
			return j < len(m.in) && m.in[j] == ':'
		}
	}
	return false
}

func (m *mender) valueAt(i int) bool {
	if i >= len(m.in) {
		return false
	}
	switch c := m.in[i]; {
	case c == '"', c == '\'', c == '{', c == '[', c == '-', '0' <= c && c <= '9':
		return true
	}
	return wordByte(m.in[i])
}

const hex = "0123456789abcdef"

// write writes the text of a string. With a stray backslash none of them is an
// escape: the text was not escaped at all.
func (m *mender) write(b []byte, quote byte, stray bool) {
	m.out = append(m.out, '"')
	for j := 0; j < len(b); j++ {
		switch c := b[j]; {
		case c == '"':
			m.out = append(m.out, '\\', '"')
		case c < ' ':
			m.did |= RepairedLineBreaks
			m.out = append(m.out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c == '\\' && j+1 < len(b) && b[j+1] == quote:
			if j++; quote == '"' {
				m.out = append(m.out, '\\')
			}
			m.out = append(m.out, quote)
		case c == '\\' && (stray || j+1 == len(b)):
			m.out = append(m.out, '\\', '\\')
		case c == '\\' && b[j+1] == 'x':
			j = m.hexEscape(b, j)
		case c == '\\':
			m.out = append(m.out, c, b[j+1])
			j++
		default:
			m.out = append(m.out, c)
		}
	}
	m.out = append(m.out, '"')
}

// hexEscape writes Python's \xhh at j and returns its last byte's index.
func (m *mender) hexEscape(b []byte, j int) int {
	if j+3 < len(b) {
		m.out = append(append(m.out, `\u00`...), b[j+2:j+4]...) // bad digits fail the parse
		return j + 3
	}
	m.out = append(m.out, '\\', '\\')
	return j
}

func (m *mender) copyByte() {
	m.out = append(m.out, m.in[m.i])
	m.i++
}

// space copies white space, so that offsets stay close.
func (m *mender) space() {
	end := skipSpace(m.in, m.i)
	m.out = append(m.out, m.in[m.i:end]...)
	m.i = end
}
