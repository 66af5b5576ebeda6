package detectors

import (
	"slices"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// plain compiles a rule without a safeguard key: it finds incidents of what
// fallbackSubject says, since a plain Sigma rule names no subject. Such rules are
// compiled once for each view of their log source that reads their fields in another
// way.
func (b *builder) plain(r *Rule, sr *sigma.Rule, views []fields.View) error {
	d := b.filtered(sr)
	if len(views) == 0 { // compiled all the same, for its errors
		m, err := b.compileWith(d, fields.Quotable)
		r.never = neverLogSource
		r.halves = []half{{rule: r, state: Incident, match: m}}
		return err
	}
	doubts := newDoubts(b, d)
	var warned int
	for i := range views {
		v := &views[i]
		m, err := b.compileWith(d, v.Rename)
		if err != nil {
			return err
		}
		if i == 0 {
			warned = len(b.warnings)
		}
		b.warnings = b.warnings[:warned] // a detection's own once
		if !v.Wants(d, b.requires(m, v.Rename)) {
			continue
		}
		doubts.look(m, v.Mapping, v.Rename)
		h := half{rule: r, state: Incident, kinds: v.Kinds, match: m, view: v.Mapping}
		if err := b.joining(&h, d, v); err != nil {
			return err
		}
		b.warnings = b.warnings[:warned]
		r.halves = append(r.halves, h)
	}
	r.never = doubts.report(sr)
	return nil
}

// joining makes h, whose detection reads the request of an Activity operation
// and asks that it succeeded (event.outcome: success), one that finds the two in
// separate records, as a rule with a safeguard key does.
func (b *builder) joining(h *half, d *sigma.Detection, v *fields.View) error {
	if !h.reads(ingest.AzureActivity) || !readsRequest(d) {
		return nil
	}
	const field = "event.outcome"
	success := ingest.Success.String()
	given, only := d.Given(field, success)
	asks := func(r sigma.Requirement) bool {
		return r.Kind == sigma.Exact && slices.Equal(r.Values, []string{success})
	}
	if !only || !slices.ContainsFunc(b.requires(h.match, v.Rename)(field), asks) {
		return nil
	}
	var err error
	h.match, err = b.compileWith(given, v.Rename)
	h.outcome, h.joined = ingest.Success, true
	return err
}
