package ingest

import (
	"slices"
	"sync"

	"phiwatch/ingest/document"
)

// A Plan says what a Decoder reads in the one walk it makes over a record:
// what it needs itself, and what else somebody wants of each kind of event.
// It is immutable and safe for concurrent use.
type Plan struct {
	kinds [kindCount]kindPlan
}

// kindPlan is the walk over records of one kind.
type kindPlan struct {
	extractor *document.Extractor
	own       []int // slots of the decoder's fields, by number; noSlot: looked up
	extra     []int // slots of the extra paths
	slots     map[*document.Path]int
}

const noSlot = -1

// NewPlan returns a plan that reads also the paths that extra names for a kind.
// Nil names none.
func NewPlan(extra func(Kind) []*document.Path) *Plan {
	p := new(Plan)
	for k := range p.kinds {
		var paths []*document.Path
		if extra != nil {
			paths = extra(Kind(k))
		}
		p.kinds[k] = newKindPlan(needs[k], paths)
	}
	return p
}

func newKindPlan(own []*fieldPath, extra []*document.Path) (p kindPlan) {
	var paths []*document.Path
	slot := func(path *document.Path) int {
		i := slices.IndexFunc(paths, func(have *document.Path) bool { return sameNames(have.String(), path.String()) })
		if i < 0 {
			i, paths = len(paths), append(paths, path)
		}
		return i
	}
	p.own = slices.Repeat([]int{noSlot}, len(fields))
	for _, f := range own {
		p.own[f.number] = slot(f.path)
	}
	p.slots = make(map[*document.Path]int)
	for _, path := range extra {
		p.slots[path] = slot(path)
		p.extra = append(p.extra, p.slots[path])
	}
	p.extractor = document.NewExtractor(paths)
	return p
}

// sameNames reports whether two paths differ at most in the case of letters,
// which names and the values of conditions are compared without.
func sameNames(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		x, y := a[i], b[i]
		if x != y && (x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return false
		}
	}
	return true
}

// ownPlan is the plan of decoders that nobody gave another.
var ownPlan = sync.OnceValue(func() *Plan { return NewPlan(nil) })

// Extra returns the slots of the extra paths of a kind, in their order. Paths
// that are written alike but for case share one.
func (p *Plan) Extra(k Kind) []int { return p.kinds[k].extra }

// Use makes d read what p says, from the next message on.
func (d *Decoder) Use(p *Plan) { d.plan = p }

// Read returns what plan p reads of e, which is there already if e was decoded
// with p, and else is read now, into own.
func (e *Event) Read(p *Plan, own *document.Fields) *document.Fields {
	if e.plan == p {
		return e.read
	}
	p.kinds[e.Kind].extractor.Extract(e.Doc, own)
	return own
}

// Values is Doc.Values, without a search if the event was decoded with a plan
// that has this very path.
func (e *Event) Values(p *document.Path, dst []document.Value) []document.Value {
	if slot, ok := e.slot(p); ok {
		return append(dst, e.read.Values(slot)...)
	}
	return e.Doc.Values(p, dst)
}

// Find is Values where they are: they may be read until the next event is decoded.
func (e *Event) Find(p *document.Path) []document.Value {
	if values, ok := e.Walked(p); ok {
		return values
	}
	return e.Doc.Values(p, nil)
}

// Walked is Find where that takes no search; else ok is false.
func (e *Event) Walked(p *document.Path) (values []document.Value, ok bool) {
	slot, ok := e.slot(p)
	if !ok {
		return nil, false
	}
	return e.read.Values(slot), true
}

// Alike reports whether the values at two paths are the same, and there are some.
// It is found out once: much hangs on whether a few large sections have changed.
func (e *Event) Alike(a, b *document.Path) bool {
	if e.plan == nil {
		is := e.Find(a)
		return len(is) > 0 && slices.Equal(is, e.Find(b))
	}
	is, known := e.read.Alike(a, b)
	if !known {
		values := e.Find(a)
		is = len(values) > 0 && slices.Equal(values, e.Find(b))
		e.read.KnowAlike(a, b, is)
	}
	return is
}

// Text is Doc.Text as Values is Doc.Values.
func (e *Event) Text(p *document.Path) string {
	if slot, ok := e.slot(p); ok {
		return e.read.Text(slot)
	}
	return e.Doc.Text(p)
}

func (e *Event) slot(p *document.Path) (int, bool) {
	if e.plan == nil {
		return 0, false
	}
	slot, ok := e.plan.kinds[e.Kind].slots[p]
	return slot, ok
}

// fieldPath is a path that records are read by.
type fieldPath struct {
	path   *document.Path
	number int
}

// fields are all of them, by number.
var fields []*fieldPath

func field(path string) *fieldPath {
	for _, f := range fields {
		if f.path.String() == path {
			return f
		}
	}
	f := &fieldPath{document.MustCompile(path), len(fields)}
	fields = append(fields, f)
	return f
}

// walk reads at once what e's kind needs. The record's layout must be known.
func (d *Decoder) walk(e *Event) {
	k := &d.plan.kinds[e.Kind]
	k.extractor.Extract(&d.doc, &d.read)
	d.slots = k.own
	e.plan, e.read = d.plan, &d.read
}

// slot returns where the walk has put p, or noSlot if it has not read it or was
// not yet made.
func (d *Decoder) slot(p *fieldPath) int {
	if d.slots == nil {
		return noSlot
	}
	return d.slots[p.number]
}

// text returns the text of the first string, number or boolean at p, or "".
func (d *Decoder) text(p *fieldPath) string {
	slot := d.slot(p)
	if slot == noSlot {
		return d.doc.Text(p.path)
	}
	return d.read.Text(slot)
}

// value returns the first value at p.
func (d *Decoder) value(p *fieldPath) document.Value {
	if slot := d.slot(p); slot != noSlot {
		return d.read.First(slot)
	}
	return d.doc.First(p.path)
}
