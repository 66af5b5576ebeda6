package detectors

import (
	"unsafe"

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
	read    *document.Fields // of the walk
	own     document.Fields  // where it is made if the decoder has not made it
	present []int            // fields of the index that have values
	scratch *sigma.Scratch
	hits    []int
	buf     []document.Value
	feed    feedScratch
	pad     pad
	keep    keeper
	proof   Evidence // of the event, if it is proven
	proven  bool
	metrics *Metrics // nil: nothing is counted
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
	s.ev, s.program, s.proven = ev, p, false
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
	s.present = p.present.of(s.read.Touched(), append(s.present[:0], p.always...))
}

// end lets go of the event.
func (s *scope) end() { s.ev, s.read, s.proof = nil, nil, Evidence{} }

// Values implements sigma.Event.
func (s *scope) Values(i int) []sigma.Value {
	if at := s.program.direct[i]; at >= 0 {
		return asSigma(s.read.Values(int(at)))
	}
	sl := &s.slots[i]
	if sl.gen == s.gen {
		return sl.values
	}
	from := &s.program.sources[i]
	if values, ok := s.asRead(from); ok {
		return values
	}
	sl.gen, sl.values = s.gen, sl.values[:0]
	switch {
	case len(from.slots) > 0:
		sl.values = s.walked(sl.values, from)
	case s.fields.computed[i] != nil:
		if _, ok := s.fields.computed[i].(networkField); ok {
			sl.values = s.network(sl.values)
			break
		}
		sl.values = s.fields.computed[i].append(sl.values, s.ev)
	default:
		s.buf = s.ev.Doc.Values(s.fields.paths[i], s.buf[:0])
		sl.values, _ = appendValues(sl.values, s.buf)
	}
	return sl.values
}

// network appends the event's network: every sign-in is asked for it.
func (s *scope) network(dst []sigma.Value) []sigma.Value {
	if ip := s.ev.IP.Unmap(); ip.Is4() {
		return append(dst, sigma.Value{Kind: sigma.String, Text: s.pad.address(ip)})
	}
	return networkField{}.append(dst, s.ev)
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

// asRead returns values of the walk where they are, if a field has those of one
// slot and no others.
func (s *scope) asRead(from *source) ([]sigma.Value, bool) {
	var values []document.Value
	for _, slot := range from.slots {
		switch more := s.read.Values(slot); {
		case len(more) == 0:
		case len(values) > 0:
			return nil, false
		default:
			values = more
		}
		if from.first && len(values) > 0 {
			if values[0].Kind <= document.Null {
				return nil, false
			}
			break
		}
	}
	if from.said {
		for i := range values {
			if !plainText(&values[i]) {
				return nil, false
			}
		}
	}
	return asSigma(values), len(from.slots) > 0
}

// plainText reports whether say would leave a value as it is.
func plainText(v *document.Value) bool {
	n := len(v.Text)
	return v.Kind == document.String && n > 0 && plainEnd(v.Text[0]) && plainEnd(v.Text[n-1])
}

// asSigma is the same values as sigma calls them: the two types are laid out alike.
func asSigma(values []document.Value) []sigma.Value {
	return unsafe.Slice((*sigma.Value)(unsafe.Pointer(unsafe.SliceData(values))), len(values))
}

// These do not compile if they are not.
var (
	_ [unsafe.Sizeof(sigma.Value{})]struct{}        = [unsafe.Sizeof(document.Value{})]struct{}{}
	_ [unsafe.Offsetof(sigma.Value{}.Text)]struct{} = [unsafe.Offsetof(document.Value{}.Text)]struct{}{}
	_ [sigma.Array]struct{}                         = [document.Array]struct{}{}
	_ [sigma.String]struct{}                        = [document.String]struct{}{}
)

// walked appends the values that the walk has read.
func (s *scope) walked(dst []sigma.Value, from *source) []sigma.Value {
	if from.said {
		for _, v := range s.read.Values(from.slots[0]) {
			dst = say(dst, v.Text)
		}
		return dst
	}
	for _, slot := range from.slots {
		var found bool
		if dst, found = appendValues(dst, s.read.Values(slot)); found && from.first {
			break
		}
	}
	return dst
}

// appendValues reports whether there was one other than null.
func appendValues(dst []sigma.Value, values []document.Value) ([]sigma.Value, bool) {
	found := false
	for _, v := range values {
		found = found || v.Kind > document.Null
		dst = append(dst, sigma.Value{Kind: sigma.Kind(v.Kind), Text: v.Text})
	}
	return dst, found
}

// Keywords implements sigma.Event.
func (s *scope) Keywords(yield func(string) bool) { s.ev.Doc.Strings(yield) }
