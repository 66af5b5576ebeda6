package document

import "math"

// MaxDepth is how many containers may be open at once.
const MaxDepth = 256

// parse notes the first JSON value of raw on the tape and returns where it
// ends. It validates what it reads, except UTF-8.
func (t *tape) parse(raw []byte) (int, error) {
	t.reset(raw)
	if len(raw) > math.MaxUint32-1 {
		return 0, syntaxError(0, Oversize)
	}
	p := parser{raw: raw, nodes: t.nodes}
	end, err := p.run()
	t.nodes = p.nodes
	return end, err
}

type parser struct {
	raw   []byte
	nodes []node
	open  [MaxDepth]uint32
}

func (p *parser) run() (int, error) {
	raw := p.raw
	depth := 0
	i := 0
	var n node
value:
	i = skipSpace(raw, i)
	if i >= len(raw) {
		return i, syntaxError(i, Truncated)
	}
	n.start = uint32(i)
	n.next = uint32(len(p.nodes) + 1)
	switch c := raw[i]; c {
	case '"':
		end, flags := scanString(raw, i+1)
		if end < 0 {
			return i, stringError(raw, i+1)
		}
		n.kind, n.start, n.end = String, uint32(i+1), uint32(end)
		n.flags |= flags
		i = end + 1
	case '{', '[':
		if depth == MaxDepth {
			return i, syntaxError(i, TooDeep)
		}
		p.open[depth] = uint32(len(p.nodes))
		depth++
		n.kind = Object
		if c == '[' {
			n.kind = Array
		}
		p.nodes = append(p.nodes, n)
		n = node{}
		i = skipSpace(raw, i+1)
		if i < len(raw) && raw[i] == c+2 { // } and ] are two after { and [
			goto closing
		}
		if c == '{' {
			goto name
		}
		goto value
	case 't', 'f', 'n':
		end, kind := scanLiteral(raw, i)
		if kind == Missing {
			return i, literalError(raw, i)
		}
		n.kind, n.end = kind, uint32(end)
		i = end
	default:
		end := scanNumber(raw, i)
		if end < 0 {
			return i, numberError(raw, i)
		}
		n.kind, n.end = Number, uint32(end)
		i = end
	}
	p.nodes = append(p.nodes, n)
	n = node{}
after:
	if depth == 0 {
		return i, nil
	}
	i = skipSpace(raw, i)
	if i >= len(raw) {
		return i, syntaxError(i, Truncated)
	}
	{
		kind := p.nodes[p.open[depth-1]].kind
		switch c := raw[i]; {
		case c == ',':
			i++
			if kind == Array {
				goto value
			}
			goto name
		case c == '}' && kind == Object, c == ']' && kind == Array:
			goto closing
		}
		return i, p.afterError(i)
	}
name:
	i = skipSpace(raw, i)
	if i >= len(raw) || raw[i] != '"' {
		return i, beginError(raw, i)
	}
	{
		end, flags := scanString(raw, i+1)
		if end < 0 {
			return i, stringError(raw, i+1)
		}
		n.key = uint32(i + 1)
		n.keyLen = uint16(min(end-i-1, longKey))
		n.flags = flagMember | flags<<1
		i = skipSpace(raw, end+1)
	}
	if i >= len(raw) {
		return i, syntaxError(i, Truncated)
	}
	if raw[i] != ':' {
		return i, syntaxError(i, InnerQuote)
	}
	i++
	goto value
closing:
	i++
	depth--
	c := &p.nodes[p.open[depth]]
	c.end = uint32(i)
	c.next = uint32(len(p.nodes))
	goto after
}

// afterError explains a byte that cannot follow a value.
func (p *parser) afterError(i int) error {
	if last := p.nodes[len(p.nodes)-1]; last.kind == String {
		return syntaxError(i, InnerQuote)
	}
	return syntaxError(i, UnexpectedByte)
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
