package detectors

import (
	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// scope is one event as the rules of one engine see it: it reads a field the
// first time a rule asks for it. It belongs to one goroutine at a time.
type scope struct {
	paths []*document.Path // slot → where it is read; shared, read only
	ev    *ingest.Event
	gen   uint32
	slots []slot
	seen  []uint32 // half id → generation in which it was evaluated
	buf   []document.Value
	keys  []byte
}

// slot caches the values of a field for the event of generation gen.
type slot struct {
	gen    uint32
	values []sigma.Value
}

// begin points the scope at the next event.
func (s *scope) begin(ev *ingest.Event) {
	s.ev = ev
	s.gen++
	if s.gen == 0 { // wrapped: forget what would look current
		clear(s.slots)
		clear(s.seen)
		s.gen = 1
	}
}

// Values implements sigma.Event.
func (s *scope) Values(i int) []sigma.Value {
	sl := &s.slots[i]
	if sl.gen == s.gen {
		return sl.values
	}
	s.buf = s.ev.Doc.Values(s.paths[i], s.buf[:0])
	sl.values = sl.values[:0]
	for _, v := range s.buf {
		sl.values = append(sl.values, sigma.Value{Kind: sigma.Kind(v.Kind), Text: v.Text})
	}
	sl.gen = s.gen
	return sl.values
}

// Keywords implements sigma.Event.
func (s *scope) Keywords(yield func(string) bool) { s.ev.Doc.Strings(yield) }

// first reports whether half id has not been evaluated for this event yet.
func (s *scope) first(id int) bool {
	if s.seen[id] == s.gen {
		return false
	}
	s.seen[id] = s.gen
	return true
}
