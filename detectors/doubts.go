package detectors

import (
	"fmt"
	"maps"
	"slices"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
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
