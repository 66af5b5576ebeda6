package detectors

import (
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// What an Azure operation asks for often stands on its Start record only. A rule
// that reads it, in its detection or in what it makes of an event that it finds,
// has requests joined with the outcomes of their operations.

// readsRequest reports whether a detection reads the body of an Activity request.
func readsRequest(d *sigma.Detection) bool { return slices.ContainsFunc(d.Fields(), ofRequest) }

// ofRequest reports whether a field may stand in a request: answers come with
// outcomes.
func ofRequest(field string) bool {
	field = strings.ReplaceAll(strings.ToLower(field), "responsebody.", "")
	return strings.Contains(field, "body.") || strings.HasSuffix(field, "requestbody")
}

// joins has requests joined for those of a rule's halves that make something of
// them beyond the detection.
func (b *builder) joins(r *Rule) {
	names := b.options.Fields.Names()
	asked := func(slot int) bool { return slot >= 0 && ofRequest(names[slot]) }
	for i := range r.halves {
		h := &r.halves[i]
		if h.joined || !h.reads(ingest.AzureActivity) {
			continue
		}
		h.joined = slices.ContainsFunc(h.judging(nil), asked)
	}
}

// judging appends the slots of the fields that decide what a match of h is: of
// whom, of which sides, how severe, and against what it is held.
func (h *half) judging(out []int) []int {
	r := h.rule
	out = h.subject.reading(out)
	if r.alias != nil {
		out = append(out, r.alias.used.Slots()...)
		for _, name := range r.alias.names {
			out = name.reading(out)
		}
	}
	switch h.state {
	case Weakened, Incident:
		for _, l := range slices.Concat(r.severity, r.unknown) {
			out = slotsOf(l.match, out)
		}
		if r.known != nil {
			out = r.known.of.reading(out)
		}
		if r.regained != nil {
			out = append(out, r.regained.lost)
		}
	case Restored:
		if r.regained != nil {
			out = slotsOf(r.regained.always, append(out, r.regained.now))
		}
	case knows, forgets:
		if out = r.known.by.reading(out); !r.known.bySides {
			return out
		}
	case renames:
		return r.alias.to.reading(out)
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
