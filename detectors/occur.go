package detectors

import (
	"slices"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// Reads returns the fields that the rule tells by what weakens, and the kinds of
// events in which it looks for them. There are none for a correlation, nor for a
// rule that looks for words in any field.
func (r *Rule) Reads() (fields []string, kinds []ingest.Kind) {
	if !r.byFields() {
		return nil, nil
	}
	h := r.weakens()
	for _, slot := range h.match.Slots() {
		fields = append(fields, h.match.Fields().Names()[slot])
	}
	return fields, slices.Clone(h.kinds)
}

// byFields reports whether Reads returns any.
func (r *Rule) byFields() bool {
	return r.weakens() != nil && r.weakens().match != nil && len(r.weakens().match.Slots()) > 0
}

// Occurring returns those of some of the engine's rules that find in an event one
// of the fields they read, whatever it holds but null. It may be called
// concurrently.
func (e *Engine) Occurring(ev *ingest.Event, rules []*Rule) (out []*Rule) {
	s := e.scopes.Get().(*scope)
	s.begin(ev, &e.programs[ev.Kind])
	for _, r := range rules {
		if r.byFields() && slices.ContainsFunc(r.weakens().match.Slots(), func(slot int) bool { return present(s.Values(slot)) }) {
			out = append(out, r)
		}
	}
	s.end()
	e.scopes.Put(s)
	return out
}

func present(values []sigma.Value) bool {
	return slices.ContainsFunc(values, func(v sigma.Value) bool { return v.Kind > sigma.Null })
}
