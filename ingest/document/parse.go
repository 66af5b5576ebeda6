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
	if t.doc.window == nil {
		t.doc.window = new(window)
	}
	p := parser{raw: raw, window: t.doc.window, nodes: t.nodes[:cap(t.nodes)]}
	end, used := p.root()
	t.nodes, t.oddNames = p.nodes[:used], p.oddNames
	return end, p.err
}

// A parser descends into containers. Its methods take the offset at which they
// read and the number of nodes in use, and return both as they are after what
// they read; on an error, which they note, the offset is negative. They are
// written for few live variables: what does not fit into registers costs more
// than the parsing.
type parser struct {
	raw      []byte
	nodes    []node // as long as its capacity
	window   *window
	mark     int // index of the first offset in window that is not before what is read next
	marked   int // how much of raw is marked
	depth    int
	oddNames bool
	err      error
}

func (p *parser) fail(err error) (int, int) {
	p.err = err
	return -1, 0
}

// grow makes room for more nodes.
//
//go:noinline
func (p *parser) grow() {
	grown := make([]node, max(64, 2*len(p.nodes)))
	copy(grown, p.nodes)
	p.nodes = grown
}

// seek returns the offset of the first mark at or after i, noMark if there is
// none, and makes it the next.
func (p *parser) seek(i int) int {
	for {
		at := p.window.at[p.mark]
		switch {
		case at != noMark && int(at) >= i:
			return int(at)
		case at != noMark:
			p.mark++
		case p.marked == len(p.raw):
			return noMark
		default:
			p.fill()
		}
	}
}

// fill marks the next part of the text.
func (p *parser) fill() {
	text := p.raw[p.marked:min(p.marked+windowSize, len(p.raw))]
	p.window.fill(text, uint32(p.marked))
	p.marked += len(text)
	p.mark = 0
}

// space skips the white space at i. What is marked reaches beyond it then, but no
// further mark is sought: in a small value there may be none, and many follow.
func (p *parser) space(i int) int {
	i = skipSpace(p.raw, i)
	for {
		switch at := p.window.at[p.mark]; {
		case at == noMark && p.marked <= i && p.marked < len(p.raw):
			p.fill()
		case int(at) < i:
			p.mark++
		default:
			return i
		}
	}
}

// root reads the first value of the text.
func (p *parser) root() (end, used int) {
	p.window.at[0] = noMark
	if len(p.nodes) == 0 {
		p.grow()
	}
	p.nodes[0] = node{next: 1}
	return p.value(&p.nodes[0], p.space(0), 1)
}

// text reads the string at i into n.
func (p *parser) text(n *node, i, used int) (int, int) {
	end, flags := p.stringEnd(i + 1)
	if end < 0 {
		return p.fail(stringError(p.raw, i+1))
	}
	n.kind, n.start, n.end = String, uint32(i+1), uint32(end)
	n.flags |= flags
	return end + 1, used
}

// stringEnd returns the offset of the quote that ends the string whose text
// begins at i, and flagEscaped if it holds escapes; or -1 if the string is not
// sound.
func (p *parser) stringEnd(i int) (end int, flags uint8) {
	for {
		at := p.seek(i)
		switch {
		case at == noMark:
			return -1, 0
		case p.raw[at] == '"':
			p.mark++
			return at, flags
		case p.raw[at] != '\\':
			return -1, 0
		}
		n := escapeLen(p.raw[at:])
		if n == 0 || at+n > len(p.raw) {
			return -1, 0
		}
		flags = flagEscaped
		i = at + n
	}
}

// value reads the value at i, or behind white space there, into n, the last node.
func (p *parser) value(n *node, i, used int) (int, int) {
	if i >= len(p.raw) || p.raw[i] <= ' ' {
		if i = p.space(i); i >= len(p.raw) {
			return p.fail(syntaxError(i, Truncated))
		}
	}
	n.start = uint32(i)
	var end int
	switch p.raw[i] {
	case '"':
		return p.text(n, i, used)
	case '{':
		n.kind = Object
		return p.container(i, used)
	case '[':
		n.kind = Array
		return p.container(i, used)
	case 't', 'f', 'n':
		if end, n.kind = scanLiteral(p.raw, i); n.kind == Missing {
			return p.fail(literalError(p.raw, i))
		}
	default:
		n.kind = Number
		if end = scanNumber(p.raw, i); end < 0 {
			return p.fail(numberError(p.raw, i))
		}
	}
	n.end = uint32(end)
	return end, used
}

// container reads what is in the container that begins at i, whose node is
// the last one.
func (p *parser) container(i, used int) (int, int) {
	if p.depth == MaxDepth {
		return p.fail(syntaxError(i, TooDeep))
	}
	p.depth++
	self := used - 1
	closer := p.raw[i] + 2 // } and ] are two after { and [
	i++
	if i >= len(p.raw) || p.raw[i] <= ' ' {
		i = p.space(i)
	}
	if i < len(p.raw) && p.raw[i] == closer {
		i++
	} else if closer == '}' {
		i, used = p.members(i, used)
	} else {
		i, used = p.elements(i, used)
	}
	if i >= 0 {
		n := &p.nodes[self]
		n.end, n.next = uint32(i), uint32(used)
	}
	p.depth--
	return i, used
}

// members reads the members of an object and the brace that closes it.
func (p *parser) members(i, used int) (int, int) {
	raw, at, mark := p.raw, &p.window.at, p.mark
	for {
		if uint(i) >= uint(len(raw)) || raw[i] != '"' {
			p.mark = mark
			if i = p.space(i); i >= len(raw) || raw[i] != '"' {
				return p.fail(beginError(raw, i))
			}
			mark = p.mark
		}
		i++
		end := int(at[uint(mark+1)&(uint(len(at))-1)]) // the mark after that of the quote before i
		flags := uint8(flagMember)
		mark += 2
		if uint(end) >= uint(len(raw)) || raw[end] != '"' {
			p.mark = mark - 2
			if end, flags = p.oddName(i); end < 0 {
				return p.fail(stringError(raw, i))
			}
			mark = p.mark
		}
		if used >= len(p.nodes) {
			p.grow()
		}
		n := &p.nodes[used]
		used++
		n.key, n.keyLen, n.flags, n.next = uint32(i), uint16(min(end-i, longKey)), flags, uint32(used)
		i = end + 1
		if uint(i) >= uint(len(raw)) || raw[i] != ':' {
			p.mark = mark
			if i = p.space(i); i >= len(raw) || raw[i] != ':' {
				return p.fail(colonError(raw, i))
			}
			mark = p.mark
		}
		i++
		if uint(i) < uint(len(raw)) {
			c := raw[i]
			if c == '"' { // most values are plain strings
				end := int(at[uint(mark+1)&(uint(len(at))-1)])
				if uint(end) < uint(len(raw)) && raw[end] == '"' {
					mark += 2
					n.kind, n.start, n.end = String, uint32(i+1), uint32(end)
					i = end + 1
					goto after
				}
			} else if c != '{' && c != '[' {
				if end, kind := scanWord(raw, i, c); end > 0 { // no marks are in it
					n.kind, n.start, n.end = kind, uint32(i), uint32(end)
					i = end
					goto after
				}
			}
		}
		p.mark = mark
		if i, used = p.value(n, i, used); i < 0 {
			return i, used
		}
		mark = p.mark
	after:
		if uint(i) < uint(len(raw)) {
			switch raw[i] {
			case ',':
				i++
				continue
			case '}':
				p.mark = mark
				return i + 1, used
			}
		}
		p.mark = mark
		if i = p.space(i); i >= len(raw) || raw[i] != ',' {
			return p.close(i, used, '}')
		}
		mark = p.mark
		i++
	}
}

// close reads the byte that ends a container.
func (p *parser) close(i, used int, closer byte) (int, int) {
	if i < len(p.raw) && p.raw[i] == closer {
		return i + 1, used
	}
	return p.fail(afterError(p.raw, i, p.nodes[used-1].kind))
}

// oddName is for names the end of which is not seen at once.
func (p *parser) oddName(i int) (end int, flags uint8) {
	end, flags = p.stringEnd(i)
	p.oddNames = p.oddNames || flags != 0 || end-i >= longKey
	return end, flagMember | flags<<1
}

// elements reads the elements of an array and the bracket that closes it.
func (p *parser) elements(i, used int) (int, int) {
	raw, at := p.raw, &p.window.at
	for {
		if used >= len(p.nodes) {
			p.grow()
		}
		n := &p.nodes[used]
		used++
		n.key, n.keyLen, n.flags, n.next = 0, 0, 0, uint32(used)
		end := int(at[uint(p.mark+1)&(uint(len(at))-1)])
		if uint(i) < uint(len(raw)) && raw[i] == '"' && uint(end) < uint(len(raw)) && raw[end] == '"' { // a plain string
			p.mark += 2
			n.kind, n.start, n.end = String, uint32(i+1), uint32(end)
			i = end + 1
		} else if i, used = p.value(n, i, used); i < 0 {
			return i, used
		}
		if uint(i) < uint(len(raw)) && raw[i] == ']' {
			return i + 1, used
		}
		if uint(i) >= uint(len(raw)) || raw[i] != ',' {
			if i = p.space(i); i >= len(raw) || raw[i] != ',' {
				return p.close(i, used, ']')
			}
		}
		i++
	}
}

// afterError explains a byte that cannot follow a value of the kind.
func afterError(raw []byte, i int, kind Kind) error {
	switch {
	case i >= len(raw):
		return syntaxError(i, Truncated)
	case kind == String:
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
