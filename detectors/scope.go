package detectors

import (
	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// scope is one event as the rules of one engine see it. It belongs to one
// goroutine at a time.
type scope struct {
	fields  *fieldTable
	ev      *ingest.Event
	program *program
	gen     uint32 // counts events
	slots   []slot
	read    document.Fields
	scratch *sigma.Scratch
	hits    []int
	buf     []document.Value
}

// slot caches the values of a field for the event of generation gen.
type slot struct {
	gen    uint32
	values []sigma.Value
}

func newScope(fields *fieldTable) *scope {
	return &scope{fields: fields, slots: make([]slot, len(fields.paths)), scratch: sigma.NewScratch()}
}

// begin points the scope at the next event.
func (s *scope) begin(ev *ingest.Event, p *program) {
	s.ev, s.program = ev, p
	s.gen++
	if s.gen == 0 { // wrapped: forget what would look current
		clear(s.slots)
		s.gen = 1
	}
	p.extractor.Extract(ev.Doc, &s.read)
}

// end lets go of the event.
func (s *scope) end() { s.ev = nil }

// Values implements sigma.Event.
func (s *scope) Values(i int) []sigma.Value {
	sl := &s.slots[i]
	if sl.gen == s.gen {
		return sl.values
	}
	sl.gen, sl.values = s.gen, sl.values[:0]
	if c := s.fields.computed[i]; c != nil {
		sl.values = c.append(sl.values, s.ev)
		return sl.values
	}
	values := s.buf[:0]
	if at := s.program.eager[i]; at >= 0 {
		values = s.read.Values(at)
	} else {
		s.buf = s.ev.Doc.Values(s.fields.paths[i], values)
		values = s.buf
	}
	for _, v := range values {
		sl.values = append(sl.values, sigma.Value{Kind: sigma.Kind(v.Kind), Text: v.Text})
	}
	return sl.values
}

// Keywords implements sigma.Event.
func (s *scope) Keywords(yield func(string) bool) { s.ev.Doc.Strings(yield) }
