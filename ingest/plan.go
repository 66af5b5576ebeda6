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
	extractors [kindCount]*document.Extractor
}

// NewPlan returns a plan that reads also the paths that extra names for a kind.
// Nil names none.
func NewPlan(extra func(Kind) []*document.Path) *Plan {
	p := new(Plan)
	for k := range p.extractors {
		paths := fieldPaths
		if extra != nil {
			paths = slices.Concat(paths, extra(Kind(k)))
		}
		p.extractors[k] = document.NewExtractor(paths)
	}
	return p
}

// ownPlan is the plan of decoders that nobody gave another.
var ownPlan = sync.OnceValue(func() *Plan { return NewPlan(nil) })

// Use makes d read what p says, from the next message on.
func (d *Decoder) Use(p *Plan) { d.plan = p }

// Read returns the values of what plan p reads of e's kind beyond the
// decoder's own needs: extra path number i is slot from+i. Use it where Event's
// Doc may be used. What e was not decoded with is read now, into own.
func (e *Event) Read(p *Plan, own *document.Fields) (read *document.Fields, from int) {
	if e.plan == p {
		return e.read, len(fieldPaths)
	}
	p.extractors[e.Kind].Extract(e.Doc, own)
	return own, len(fieldPaths)
}

// fieldPath is a path that records are read by. Those with a slot are read in
// the walk; the others serve to tell what a record is, before it.
type fieldPath struct {
	path *document.Path
	slot int
}

const noSlot = -1

// fieldPaths are the paths of the slots.
var fieldPaths []*document.Path

// field returns the path that the walk reads.
func field(path string) *fieldPath {
	slot := slices.IndexFunc(fieldPaths, func(p *document.Path) bool { return p.String() == path })
	if slot < 0 {
		slot = len(fieldPaths)
		fieldPaths = append(fieldPaths, document.MustCompile(path))
	}
	return &fieldPath{fieldPaths[slot], slot}
}

// probe returns a path that is looked up.
func probe(path string) *fieldPath { return &fieldPath{document.MustCompile(path), noSlot} }

// walk reads all fields of the record at once. Its layout must be known.
func (d *Decoder) walk(e *Event) {
	d.plan.extractors[e.Kind].Extract(&d.doc, &d.read)
	d.walked = true
	e.plan, e.read = d.plan, &d.read
}

// text returns the text of the first string, number or boolean at p, or "".
func (d *Decoder) text(p *fieldPath) string {
	if !d.walked || p.slot == noSlot {
		return d.doc.Text(p.path)
	}
	for _, v := range d.read.Values(p.slot) {
		if v.Scalar() {
			return v.Text
		}
	}
	return ""
}

// value returns the first value at p.
func (d *Decoder) value(p *fieldPath) document.Value {
	if !d.walked || p.slot == noSlot {
		return d.doc.First(p.path)
	}
	return d.read.First(p.slot)
}
