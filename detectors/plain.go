package detectors

import (
	"fmt"
	"maps"
	"slices"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// neverReason says why a rule can never match. The set is closed: it is a
// metric's label.
type neverReason string

// The reasons.
const (
	neverLogSource neverReason = "log_source" // its log source is not one that phiwatch reads
	neverField     neverReason = "field"      // it needs a field that no record of its log source has
	neverCondition neverReason = "condition"  // its condition cannot hold
)

var neverReasons = []neverReason{neverLogSource, neverField, neverCondition}

// plain compiles a rule without a safeguard key: it reports incidents of the
// actor, which is what a plain Sigma rule can say. Such rules are compiled once
// for each view of their log source that reads their fields in another way.
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

// reads reports whether any half of the rule reads events of a kind.
func (r *Rule) reads(k ingest.Kind) bool {
	return slices.ContainsFunc(r.halves, func(h half) bool { return h.reads(k) })
}

// compileOver compiles a detection of a rule with a safeguard key over some kinds,
// and warns of fields that they do not have.
func (b *builder) compileOver(sr *sigma.Rule, d *sigma.Detection, kinds []ingest.Kind) (*sigma.Matcher, neverReason, error) {
	m := fields.MappingOf(kinds)
	if m == nil {
		matcher, err := b.compileWith(d, fields.Quotable)
		return matcher, "", err
	}
	matcher, err := b.compileWith(d, m.Keep)
	if err != nil {
		return nil, "", err
	}
	doubts := newDoubts(b, d)
	doubts.look(matcher, m, m.Keep)
	return matcher, doubts.report(sr), nil
}

// compileWith compiles a detection whose fields are renamed. A name that is no
// path is taken as the name of one member.
func (b *builder) compileWith(d *sigma.Detection, rename func(string) string) (*sigma.Matcher, error) {
	defer func(before func(string) string) { b.options.Rename = before }(b.options.Rename)
	b.options.Rename = func(field string) string { return fields.Quotable(rename(field)) }
	return b.compile(d)
}

// requires returns what a matcher requires of a field.
func (b *builder) requires(m *sigma.Matcher, rename func(string) string) func(string) []sigma.Requirement {
	return func(field string) []sigma.Requirement {
		slot := b.options.Fields.Slot(fields.Quotable(rename(field)))
		return slices.DeleteFunc(m.Required(), func(r sigma.Requirement) bool { return r.Slot != slot })
	}
}

// doubts collects the fields of a detection that none of the views that it was
// compiled for has, and whether it can match at all.
type doubts struct {
	b       *builder
	d       *sigma.Detection
	unknown map[string]string // field → what was probably meant
	looked  int
	lacking int // views of which it needs a field that is not there
	never   int // views whose matcher can never hold
}

func newDoubts(b *builder, d *sigma.Detection) *doubts { return &doubts{b: b, d: d} }

// look judges one view; a field is unknown if it is in every one.
func (x *doubts) look(m *sigma.Matcher, mapping *fields.Mapping, rename func(string) string) {
	unknown, slots := map[string]string{}, map[int]bool{}
	for _, field := range x.d.Fields() {
		if meant, doubtful := mapping.Doubtful(rename(field)); doubtful {
			unknown[field] = meant
			slots[x.b.options.Fields.Slot(fields.Quotable(rename(field)))] = true
		}
	}
	lacks := len(unknown) > 0 && !m.CanHoldWithout(func(slot int) bool { return slots[slot] })
	if x.looked == 0 {
		x.unknown = unknown
	}
	for field := range x.unknown {
		if _, still := unknown[field]; !still {
			delete(x.unknown, field)
		}
	}
	x.looked++
	if lacks {
		x.lacking++
	}
	if m.Never() || x.d.Contradicts() {
		x.never++
	}
}

// report warns of unknown fields and returns why the detection can never match,
// or "".
func (x *doubts) report(sr *sigma.Rule) neverReason {
	needed := x.looked > 0 && x.lacking == x.looked && len(x.unknown) > 0
	for _, field := range slices.Sorted(maps.Keys(x.unknown)) {
		text := fmt.Sprintf("field %q is in no record of this log source", field)
		if needed {
			text += ", so the rule never matches"
		}
		if meant := x.unknown[field]; meant != "" {
			text += fmt.Sprintf("; did you mean %q?", meant)
		} else {
			text += ": name it as the record does, such as properties." + field
		}
		line, column := x.d.FieldAt(field)
		x.b.warnings = append(x.b.warnings, &sigma.Error{File: sr.File, Line: max(line, 1), Column: max(column, 1), Msg: text})
	}
	switch {
	case needed:
		return neverField
	case x.looked > 0 && x.never == x.looked:
		return neverCondition
	}
	return ""
}
