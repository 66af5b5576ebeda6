package document

// Layout says where the paths of a record start.
type Layout uint8

const (
	// Native is a record as delivered: paths start at its root.
	Native Layout = iota
	// Graph is an object without the diagnostic envelope: a leading
	// "properties." of a path is skipped when the root has no such member.
	Graph
	// CloudApp is a Defender CloudAppEvents record: paths start at
	// properties.RawEventData (an object, or a string that holds one); a path
	// that has no value there is tried from the record's own root. Rows without
	// an envelope have RawEventData at their root, and in records that enrich
	// the native one (EnrichedOffice365AuditLogs) properties itself is it.
	CloudApp
)

// Document is one JSON record, parsed and addressable. The zero value is
// ready. A Document is not safe for concurrent use, not even for reading:
// reads fill caches.
type Document struct {
	main   tape
	raw    []byte
	layout Layout
	pool   []*tape // nested tapes, used[:inUse]
	inUse  int
	window *window // of the text being parsed
	arena  []byte  // where unescaped text is cut from; never rewritten

	inner      *tape // CloudApp's root
	innerNode  uint32
	innerKnown bool

	bodyTape  *tape // the body of the record, nil: there is none
	bodyNode  uint32
	bodyKnown bool

	scratch   [3][]Value     // for one, and for both sides of a difference
	lines     []*commandLine // parsed command lines of this record
	linesUsed int
}

// Parse reads one JSON value, nothing but white space around it, and makes it
// the document. raw is kept and must not be modified as long as the document
// or any text read from it is in use. Invalid UTF-8 in strings is accepted.
// Errors are *SyntaxError; the document is then empty. The layout is reset to
// Native.
func (d *Document) Parse(raw []byte) error {
	n, err := d.ParsePrefix(raw)
	if err != nil {
		return err
	}
	if i := skipSpace(raw, n); i < len(raw) {
		d.Reset()
		return syntaxError(i, TrailingData)
	}
	d.raw = raw
	return nil
}

// ParsePrefix is Parse for the first value of data, which may go on: it
// returns where the value ends. Raw is then that value alone. A splitter of
// arrays or of joined records so reads every byte once.
func (d *Document) ParsePrefix(data []byte) (n int, err error) {
	d.clear()
	d.main.doc = d
	n, err = d.main.parse(data)
	if err != nil {
		d.Reset()
		return n, err
	}
	d.raw = data[d.start():n]
	return n, nil
}

func (d *Document) start() int {
	n := &d.main.nodes[0]
	if n.kind == String {
		return int(n.start) - 1
	}
	return int(n.start)
}

// Reset empties the document and lets go of the record's bytes.
func (d *Document) Reset() {
	d.clear()
	d.raw = nil
	d.main.reset(nil)
}

// clear forgets what was cached for the last record.
func (d *Document) clear() {
	for i := range d.pool[:d.inUse] {
		d.pool[i].reset(nil)
	}
	if d.inUse > keepTapes {
		clear(d.pool[keepTapes:])
		d.pool = d.pool[:keepTapes]
	}
	if d.linesUsed > keepLines {
		d.lines = nil
	}
	d.inUse, d.linesUsed = 0, 0
	d.layout = Native
	d.inner, d.innerKnown = nil, false
	d.bodyTape, d.bodyKnown = nil, false
}

// Raw returns the record as delivered.
func (d *Document) Raw() []byte { return d.raw }

// Kind returns the kind of the record's root, Missing if there is none.
func (d *Document) Kind() Kind {
	if len(d.main.nodes) == 0 {
		return Missing
	}
	return d.main.nodes[0].kind
}

// SetLayout says where paths start, until the next Parse.
func (d *Document) SetLayout(l Layout) { d.layout, d.bodyKnown = l, false }

// Layout returns what SetLayout set.
func (d *Document) Layout() Layout { return d.layout }

// Strings calls yield with every string value of the record (not with names),
// in order, until it returns false. Use it with range.
func (d *Document) Strings(yield func(string) bool) {
	for i := range d.main.nodes {
		if d.main.nodes[i].kind == String && !yield(d.main.text(uint32(i))) {
			return
		}
	}
}

// parseNested parses the JSON that a string holds, nil if it holds none.
func (d *Document) parseNested(text string, layer int) *tape {
	raw := bytesOf(text)
	if !opensJSON(raw) {
		return nil
	}
	if d.inUse == len(d.pool) {
		d.pool = append(d.pool, new(tape))
	}
	t := d.pool[d.inUse]
	t.doc, t.layer = d, layer
	end, err := t.parse(raw)
	if err != nil || skipSpace(raw, end) < len(raw) {
		t.reset(nil)
		return nil
	}
	d.inUse++
	return t
}

// room returns an empty slice with room for n bytes in the arena. What is
// appended to it up to n bytes is never rewritten; only the last slice handed
// out may be appended to.
func (d *Document) room(n int) []byte {
	if n > arenaChunk/4 {
		return make([]byte, 0, n)
	}
	if cap(d.arena)-len(d.arena) < n {
		d.arena = make([]byte, 0, arenaChunk)
	}
	at := len(d.arena)
	d.arena = d.arena[:at+n]
	return d.arena[at : at : at+n]
}

// unescape returns the text of a string body with escapes.
func (d *Document) unescape(b []byte) []byte {
	return unescape(d.room(len(b)), b) // text never grows by unescaping
}

// keep returns a copy of b that lives as long as somebody uses it.
func (d *Document) keep(b []byte) string {
	return alias(append(d.room(len(b)), b...))
}

// join returns a+b+c.
func (d *Document) join(a, b, c string) string {
	dst := append(d.room(len(a)+len(b)+len(c)), a...)
	return alias(append(append(dst, b...), c...))
}
