package document

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// MaxDepth is how many containers may be open at once.
const MaxDepth = 256

// parse notes the first JSON value of raw on the tape and returns where it
// ends. It validates what it reads, except UTF-8.
//
// It works in two steps. The first marks, without a branch, every byte that
// can end a run of plain string text; the second goes from token to token and
// finds the end of a string by one look at the marks. Most time in a parser
// goes into mispredicted loop exits, and string lengths are unpredictable.
func (t *tape) parse(raw []byte) (int, error) {
	t.reset(raw)
	if len(raw) > math.MaxUint32-1 {
		return 0, syntaxError(0, Oversize)
	}
	t.doc.marks = mark(raw, t.doc.marks)
	p := parser{raw: raw, marks: t.doc.marks, nodes: t.nodes[:cap(t.nodes)]}
	end, err := p.run()
	t.nodes, t.oddNames = p.nodes[:p.used], p.oddNames
	return end, err
}

type parser struct {
	raw      []byte
	marks    []byte
	nodes    []node // as long as its capacity
	used     int
	oddNames bool
}

// grow makes room for more nodes.
func (p *parser) grow(nodes []node) []node {
	grown := make([]node, max(64, 2*len(nodes)))
	copy(grown, nodes)
	return grown
}

// run is one function, and jumps, because its state lives in registers. While
// a container is open, its node's end holds the index of the container around
// it. The shortest way through is that of compact JSON: white space and string
// ends that the first look does not find are dealt with aside.
func (p *parser) run() (int, error) {
	raw, marks, nodes := p.raw, p.marks, p.nodes
	var (
		i, end, used, depth int
		current             uint32 // the innermost open container
		inObject            bool
		n                   *node
		m                   uint64
		flags               uint8
		err                 error
	)
	goto element
name:
	if uint(i) >= uint(len(raw)) || raw[i] != '"' {
		i = skipSpace(raw, i)
		if i >= len(raw) || raw[i] != '"' {
			err = beginError(raw, i)
			goto out
		}
	}
	i++
	flags = flagMember
	m = binary.LittleEndian.Uint64(marks[i>>3:]) >> (i & 7)
	end = i + bits.TrailingZeros64(m)
	if m == 0 || uint(end) >= uint(len(raw)) || raw[end] != '"' {
		if end, flags = stringEnd(raw, marks, i); end < 0 {
			err = stringError(raw, i)
			goto out
		}
		flags = flagMember | flags<<1
		p.oddNames = p.oddNames || flags&flagKeyEscaped != 0 || end-i >= longKey
	}
	if used == len(nodes) {
		nodes = p.grow(nodes)
	}
	n = &nodes[used]
	n.key, n.keyLen, n.flags = uint32(i), uint16(min(end-i, longKey)), flags
	i = end + 1
	if uint(i) >= uint(len(raw)) || raw[i] != ':' {
		if i = skipSpace(raw, i); i >= len(raw) || raw[i] != ':' {
			err = colonError(raw, i)
			goto out
		}
	}
	i++
	goto value
element:
	if used == len(nodes) {
		nodes = p.grow(nodes)
	}
	n = &nodes[used]
	n.key, n.keyLen, n.flags = 0, 0, 0
value:
	if uint(i) >= uint(len(raw)) || raw[i] <= ' ' {
		if i = skipSpace(raw, i); i >= len(raw) {
			err = syntaxError(i, Truncated)
			goto out
		}
	}
	used++
	n.next = uint32(used)
	if raw[i] == '"' {
		i++
		m = binary.LittleEndian.Uint64(marks[i>>3:]) >> (i & 7)
		end = i + bits.TrailingZeros64(m)
		if m == 0 || uint(end) >= uint(len(raw)) || raw[end] != '"' {
			if end, flags = stringEnd(raw, marks, i); end < 0 {
				err = stringError(raw, i)
				goto out
			}
			n.flags |= flags
		}
		n.kind, n.start, n.end = String, uint32(i), uint32(end)
		i = end + 1
		goto after
	}
	n.start = uint32(i)
	switch c := raw[i]; c {
	case '{', '[':
		if depth == MaxDepth {
			err = syntaxError(i, TooDeep)
			goto out
		}
		depth++
		n.end, current = current, uint32(used-1)
		i++
		if uint(i) >= uint(len(raw)) || raw[i] <= ' ' {
			i = skipSpace(raw, i)
		}
		inObject = c == '{'
		if inObject {
			n.kind = Object
			if uint(i) < uint(len(raw)) && raw[i] == '}' {
				goto closing
			}
			goto name
		}
		n.kind = Array
		if uint(i) < uint(len(raw)) && raw[i] == ']' {
			goto closing
		}
		goto element
	case 't', 'f', 'n':
		end, n.kind = scanLiteral(raw, i)
		if n.kind == Missing {
			err = literalError(raw, i)
			goto out
		}
	default:
		end = scanNumber(raw, i)
		if end < 0 {
			err = numberError(raw, i)
			goto out
		}
		n.kind = Number
	}
	n.end, i = uint32(end), end
after:
	if uint(i) < uint(len(raw)) && raw[i] == ',' && depth > 0 {
		i++
		if inObject {
			goto name
		}
		goto element
	}
	if depth == 0 {
		goto out
	}
	if uint(i) >= uint(len(raw)) || raw[i] <= ' ' {
		if i = skipSpace(raw, i); i >= len(raw) {
			err = syntaxError(i, Truncated)
			goto out
		}
		if raw[i] == ',' {
			goto after
		}
	}
	if c := raw[i]; c == '}' && inObject || c == ']' && !inObject {
		goto closing
	}
	err = afterError(nodes[used-1].kind, i)
	goto out
closing:
	i++
	depth--
	n = &nodes[current]
	current, n.end, n.next = n.end, uint32(i), uint32(used)
	inObject = nodes[current].kind == Object
	goto after
out:
	p.nodes, p.used = nodes, used
	return i, err
}

// afterError explains a byte that cannot follow a value of the kind.
func afterError(kind Kind, i int) error {
	if kind == String {
		return syntaxError(i, InnerQuote)
	}
	return syntaxError(i, UnexpectedByte)
}

func colonError(raw []byte, i int) error {
	if i >= len(raw) {
		return syntaxError(i, Truncated)
	}
	return syntaxError(i, InnerQuote)
}

// beginError explains a byte with which no name or value begins.
func beginError(raw []byte, i int) error {
	switch {
	case i >= len(raw):
		return syntaxError(i, Truncated)
	case raw[i] == '\'':
		return syntaxError(i, SingleQuote)
	}
	return syntaxError(i, UnexpectedByte)
}

func literalError(raw []byte, i int) error {
	for _, s := range [...]string{"true", "false", "null"} {
		if rest := raw[i:]; len(rest) < len(s) && string(rest) == s[:len(rest)] {
			return syntaxError(len(raw), Truncated)
		}
	}
	return syntaxError(i, BadLiteral)
}

func numberError(raw []byte, i int) error {
	if c := raw[i]; c != '-' && (c < '0' || c > '9') {
		return beginError(raw, i)
	}
	for i < len(raw) && isNumberByte(raw[i]) {
		i++
	}
	if i == len(raw) {
		return syntaxError(i, Truncated)
	}
	return syntaxError(i, BadNumber)
}

// stringError finds what is wrong with the string that begins at i.
func stringError(raw []byte, i int) error {
	for ; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			return syntaxError(i, UnexpectedByte) // not reached: the string is sound
		case c < ' ':
			return syntaxError(i, ControlChar)
		case c == '\\':
			n := escapeLen(raw[i:])
			switch {
			case n == 0:
				return syntaxError(i, BadEscape)
			case i+n > len(raw):
				return syntaxError(len(raw), Truncated)
			}
			i += n - 1
		}
	}
	return syntaxError(len(raw), Truncated)
}
