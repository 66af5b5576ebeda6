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

// joinRequests has requests joined for those of a rule's halves that make something of
// them beyond the detection.
func (b *builder) joinRequests(r *Rule) {
	names := b.options.Fields.Names()
	asked := func(slot int) bool { return slot >= 0 && ofRequest(names[slot]) }
	for i := range r.halves {
		h := &r.halves[i]
		if h.joined || !h.reads(ingest.AzureActivity) {
			continue
		}
		h.joined = slices.ContainsFunc(h.decidingSlots(nil), asked)
	}
}
