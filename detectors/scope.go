package detectors

import (
	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// scope is one event as the rules of one engine see it. It belongs to one
// goroutine at a time.
type scope struct {
	fields  *fields.Table
	ev      *ingest.Event
	program *program
	gen     uint32 // counts events
	slots   []slot
	read    *document.Fields // what the walk over the record found
	own     document.Fields  // room for read where the decoder has not walked the record
	scratch *sigma.Scratch
	hits    []int // what found returns
	feed    feedScratch
	pad     pad
	ip      string // what address returns, once somebody asked
	keep    keeper
	proof   Evidence // of the event, if it is proven
	proven  bool
	metrics *Metrics // nil: nothing is counted
	wasCut  bool     // not all that the event says was looked at

	familiar *familiar // what need not be fed again; nil: nothing
}

// slot caches the values of a field for the event of generation gen.
type slot struct {
	gen    uint32
	values []sigma.Value
}

func newScope(table *fields.Table) *scope {
	return &scope{fields: table, slots: make([]slot, table.Len()), scratch: sigma.NewScratch()}
}

// begin points the scope at the next event.
func (s *scope) begin(ev *ingest.Event, p *program) {
	s.ev, s.program, s.proven, s.wasCut, s.ip = ev, p, false, false, ""
	s.feed.begin()
	s.pad.begin()
	s.gen++
	if s.gen == 0 { // wrapped: forget what would look current
		clear(s.slots)
		s.gen = 1
	}
	if p.plan == nil {
		return
	}
	s.read = ev.Read(p.plan, &s.own)
}

// found appends to out which matchers of the program's set hold. Of the fields
// that the index is over, those are looked at that have values.
func (s *scope) found(out []int) []int {
	p := s.program
	p.set.Start(s.scratch)
	for _, in := range p.always {
		p.set.Meet(s.scratch, int(in.place), s.Values(int(in.field)))
	}
	for _, slot := range s.read.Touched() {
		if slot >= len(p.present.first) {
			continue
		}
		for at := p.present.first[slot]; at != 0; {
			in := &p.present.list[at-1]
			values := fields.Values(s.read.Values(slot))
			if in.field >= 0 {
				values = s.Values(int(in.field))
			}
			p.set.Meet(s.scratch, int(in.place), values)
			at = in.next
		}
	}
	return p.set.Finish(s, s.scratch, out)
}

// cut counts the event, once, as one that names more than is looked at.
func (s *scope) cut() {
	if !s.wasCut && s.metrics != nil {
		s.metrics.cut.Inc()
	}
	s.wasCut = true
}

// end lets go of the event.
func (s *scope) end() { s.ev, s.read, s.proof = nil, nil, Evidence{} }

// Values implements sigma.Event.
func (s *scope) Values(i int) []sigma.Value {
	if at := s.program.direct[i]; at >= 0 {
		return fields.Values(s.read.Values(int(at)))
	}
	sl := &s.slots[i]
	if sl.gen == s.gen {
		return sl.values
	}
	from := &s.program.places[i]
	if values, ok := from.Whole(s.read); ok {
		return values
	}
	sl.gen, sl.values = s.gen, sl.values[:0]
	switch {
	case len(from.Slots) > 0:
		sl.values = from.Append(sl.values, s.read)
	case s.fields.IsNetwork(i) && s.ev.IP.Is4(): // the same without a piece of memory of its own
		sl.values = append(sl.values, sigma.Value{Kind: sigma.String, Text: s.address()})
	default:
		sl.values = s.fields.Append(sl.values, s.ev, i)
	}
	return sl.values
}

// address returns where the event came from as text, or "".
func (s *scope) address() string {
	if s.ip == "" && s.ev.IP.IsValid() {
		s.ip = s.pad.address(s.ev.IP)
	}
	return s.ip
}

// text returns the first scalar value of a field as text, or "".
func (s *scope) text(slot int) string {
	for _, v := range s.Values(slot) {
		if scalar(v) {
			return v.Text
		}
	}
	return ""
}

// Keywords implements sigma.Event.
func (s *scope) Keywords(yield func(string) bool) { s.ev.Doc.Strings(yield) }
