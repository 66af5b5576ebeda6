package document

import (
	"strings"
	"unsafe"
)

// A node is one value on the tape, with the name of the member it belongs to.
// Children follow their container; next skips a subtree.
type node struct {
	key        uint32 // offset of the member's name (inside the quotes)
	keyLen     uint16 // its raw length; longKey means: look again
	kind       Kind
	flags      uint8
	start, end uint32 // of the value in raw; strings without their quotes. With flagSide: start is an index into side
	next       uint32 // index of the node after this subtree
}

const (
	flagEscaped    = 1 << iota // the string holds escapes
	flagKeyEscaped             // the member's name holds escapes
	flagMember                 // the node has a name
	flagSide                   // start is an index into side
)

const longKey = 1<<16 - 1

// side is what is known of a string beyond its bytes.
type side struct {
	text  string
	line  *commandLine // the string read as a command line, if somebody asked
	child *tape        // the JSON in the string, nil if there is none
	tried bool
}

// A tape is one parsed JSON text.
type tape struct {
	raw      []byte
	nodes    []node
	sides    []side
	doc      *Document
	oddNames bool // some name holds escapes or is long
	layer    int  // 0 for the record, n for JSON in a string of layer n-1
}

// Limits of what is kept between records.
const (
	keepNodes  = 1 << 16
	keepTapes  = 64
	keepLines  = 16
	maxLayers  = 8
	arenaChunk = 16 << 10
)

func (t *tape) reset(raw []byte) {
	if cap(t.nodes) > keepNodes {
		t.nodes = nil
	}
	if cap(t.sides) > keepNodes/8 {
		t.sides = nil
	}
	clear(t.sides)
	t.raw, t.nodes, t.sides = raw, t.nodes[:0], t.sides[:0]
}

func alias(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func bytesOf(s string) []byte {
	return unsafe.Slice(unsafe.StringData(s), len(s))
}

// rawKey returns the name of member i as it stands in the record.
func (t *tape) rawKey(n *node) []byte {
	if n.keyLen != longKey {
		return t.raw[n.key : n.key+uint32(n.keyLen)]
	}
	end, err := Skip(t.raw[n.key-1:]) // from the quote before the name
	if err != nil {
		return nil
	}
	return t.raw[n.key : int(n.key)-1+end-1]
}

// keyIs reports whether the name of n is name, ASCII case aside; that it is not
// its length mostly tells.
func (t *tape) keyIs(n *node, name string) bool {
	return (int(n.keyLen) == len(name) || t.oddNames) && t.keyEquals(n, name)
}

func (t *tape) keyEquals(n *node, name string) bool {
	key := t.rawKey(n)
	if n.flags&flagKeyEscaped != 0 {
		key = unescape(nil, key)
	}
	return string(key) == name || foldEqual(alias(key), name)
}

// sideOf returns what is known of string i, noting its text on first use.
func (t *tape) sideOf(i uint32) *side {
	n := &t.nodes[i]
	if n.flags&flagSide == 0 {
		b := t.raw[n.start:n.end]
		if n.flags&flagEscaped != 0 {
			b = t.doc.unescape(b)
		}
		t.sides = append(t.sides, side{text: alias(b)})
		n.start = uint32(len(t.sides) - 1)
		n.flags |= flagSide
	}
	return &t.sides[n.start]
}

// text returns the Text of value i.
func (t *tape) text(i uint32) string {
	n := &t.nodes[i]
	if n.kind == Null || n.flags&(flagEscaped|flagSide) != 0 {
		return t.specialText(i)
	}
	return alias(t.raw[n.start:n.end])
}

func (t *tape) specialText(i uint32) string {
	if t.nodes[i].kind == Null {
		return ""
	}
	return t.sideOf(i).text
}

func (t *tape) value(i uint32) Value {
	return Value{Kind: t.nodes[i].kind, Text: t.text(i)}
}

// nested returns the JSON that string i holds, or nil.
func (t *tape) nested(i uint32) *tape {
	if !t.mayNest(i) {
		return nil
	}
	s := t.sideOf(i)
	if !s.tried {
		s.tried = true
		child := t.doc.parseNested(s.text, t.layer+1)
		t.sideOf(i).child = child
	}
	return t.sideOf(i).child
}

// mayNest looks at the first byte only: most strings hold no JSON.
func (t *tape) mayNest(i uint32) bool {
	n := &t.nodes[i]
	if t.layer >= maxLayers {
		return false
	}
	if n.flags&flagSide != 0 {
		return opensJSON(bytesOf(t.sides[n.start].text))
	}
	b := t.raw[n.start:n.end]
	if n.flags&flagEscaped != 0 && len(b) > 0 && b[0] == '\\' {
		return true
	}
	return opensJSON(b)
}

// opensJSON reports whether a text may hold an object, an array or a string,
// by its first two bytes that are no space. A backslash is an escaped quote or
// line break, since b may be as it stands in the record.
func opensJSON(b []byte) bool {
	first, rest := firstByte(b)
	switch first {
	case '"', '\\':
		return true
	case '{':
		second, _ := firstByte(rest)
		return second == '"' || second == '}' || second == '\\'
	case '[':
		second, _ := firstByte(rest)
		return second >= '0' && second <= '9' || strings.IndexByte(`{["-tfn]\`, second) >= 0
	}
	return false
}

// firstByte returns the first byte of b that is no space, 0 if there is none,
// and what follows it.
func firstByte(b []byte) (byte, []byte) {
	for i, c := range b {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			return c, b[i+1:]
		}
	}
	return 0, nil
}
