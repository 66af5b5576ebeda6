package detectors

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// filtered adds the filters that name the rule, by id, name or entry, to its
// detection.
func (b *builder) filtered(sr *sigma.Rule) *sigma.Detection {
	entry := entryOf(&sr.Meta)
	var apply []*sigma.Filter
	for _, f := range b.filters {
		if f.Applies(sr) || entry != "" && f.Applies(asEntry(sr, entry).(*sigma.Rule)) {
			apply = append(apply, f)
		}
	}
	if len(apply) == 0 {
		return sr.Detection
	}
	return sr.Detection.Filtered(apply...)
}

// detection compiles what a key of safeguard asks of an event that the rule reads.
func (b *builder) detection(sr *sigma.Rule, n *yaml.Node) (*sigma.Matcher, error) {
	d, err := sigma.ParseDetection(sr.File, n)
	if err != nil {
		return nil, err
	}
	kinds, _ := fields.KindsOf(sr.LogSource)
	m, _, err := b.compileOver(sr, d, kinds)
	return m, err
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

// compile compiles a detection and keeps its warnings.
func (b *builder) compile(d *sigma.Detection) (*sigma.Matcher, error) {
	m, err := sigma.Compile(d, b.options)
	if err != nil {
		return nil, err
	}
	for _, w := range append(d.Warnings, m.Warnings...) {
		b.warnings = append(b.warnings, b.unset(w))
	}
	return m, nil
}

// requires returns what a matcher requires of a field.
func (b *builder) requires(m *sigma.Matcher, rename func(string) string) func(string) []sigma.Requirement {
	return func(field string) []sigma.Requirement {
		slot := b.options.Fields.Slot(fields.Quotable(rename(field)))
		return slices.DeleteFunc(m.Required(), func(r sigma.Requirement) bool { return r.Slot != slot })
	}
}

// warn notes what loads but is probably not meant.
func (b *builder) warn(sr *sigma.Rule, format string, args ...any) {
	b.warnings = append(b.warnings, &sigma.Error{File: sr.File, Line: sr.Line, Column: 1, Msg: fmt.Sprintf(format, args...)})
}
