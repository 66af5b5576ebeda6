package detectors

import (
	"slices"

	"phiwatch/detectors/sigma"
)

// What a match of a half is made of is known before any event: the walk over the record
// reads it in passing (program.go), and where some of it may stand in a request, the
// half waits for the outcome (requests.go).

// slots appends the slots of the fields that a match of h is made of.
func (h *half) slots(out []int) []int {
	for _, f := range h.feeders {
		f.slots(func(slot int) { out = append(out, slot) })
	}
	if h.attempt != nil {
		out = h.attempt.slots(out)
	}
	if h.silent && !h.wantsSubject {
		return out
	}
	r := h.rule
	out = r.name.slots(h.decidingSlots(out))
	for _, l := range slices.Concat(r.severity, r.unknown) {
		out = slotsOf(l.match, out)
	}
	if h.state == tellsValues {
		for i := range r.memory.values {
			out = append(out, r.memory.values[i].field)
		}
	}
	return out
}

// decidingSlots appends the slots of the fields that decide what a match of h is: of
// whom, of which sides, how severe, and against what it is held.
func (h *half) decidingSlots(out []int) []int {
	r := h.rule
	out = h.subject.slots(out)
	if r.alias != nil {
		out = append(out, r.alias.used.Slots()...)
		for _, name := range r.alias.names {
			out = name.slots(out)
		}
	}
	switch h.state {
	case Weakened, Incident:
		for _, l := range slices.Concat(r.severity, r.unknown) {
			out = slotsOf(l.match, out)
		}
		if r.known != nil {
			out = r.known.of.slots(out)
		}
		if r.regained != nil {
			out = append(out, r.regained.lost)
		}
	case Restored:
		if r.regained != nil {
			out = slotsOf(r.regained.always, append(out, r.regained.now))
		}
	case knows, forgets:
		if out = r.known.by.slots(out); !r.known.bySides {
			return out
		}
	case renames:
		return r.alias.to.slots(out)
	default: // it tells values
		return out
	}
	for _, s := range r.sides {
		if h.state != Restored { // what restores does not weaken
			out = slotsOf(s.weak, append(out, s.lost))
		}
		out = slotsOf(s.strong, append(out, s.back))
	}
	return out
}

// slotsOf appends the slots of a detection that may be none.
func slotsOf(m *sigma.Matcher, out []int) []int {
	if m == nil {
		return out
	}
	return append(out, m.Slots()...)
}
