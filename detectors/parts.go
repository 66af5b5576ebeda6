package detectors

import (
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
)

// Some violations consist of several things and are over when each of these is:
// roles handed out in a burst when all of them are taken back, by whomever.
// Documents of one entry say so with parts, fields or aliases like a group:
//
//	correlation:
//	  type: value_count
//	  rules: [role-given]
//	  group-by: [event.actor]
//	  timespan: 15m
//	  condition: {field: [member, role], gte: 3}
//	safeguard: {entry: role-burst, parts: [member, role]}
//	---
//	correlation: {type: event_count, rules: ['role-given:restored'], group-by: [member, role], timespan: 1m, condition: {gte: 1}}
//	safeguard: {entry: role-burst, restores: true, parts: [member, role]}
//
// A count has the parts of all its events, each from its own time on. What holds
// in order has the part of its last event, or if that has none, those of the
// events before it. Each part is a side of the violation. An event without the
// fields, or whose rule the alias leaves out, has no part; a violation without
// parts is closed by a person, or by what restores it as a whole.
//
// What restores a part is not counted in windows, so it may be everyday. It is
// kept for a week, in case a late record makes it one; where that is often, the
// newest of each hour. Any order of arrival comes to the same violations, but for
// how exactly such a restore is dated, and that what was over before it was found
// is not told at all if that is known in time.
type parts struct {
	declared         bool           // some document has parts
	found, restoring []*correlation // documents
}

// declare takes note of a document's key, and reports whether it has its place.
func (p *parts) declare(s *correlationKey) bool {
	p.declared = p.declared || len(s.Parts) > 0 && !s.Restores
	return p.declared || len(s.Parts) == 0
}

// parted reports whether what c finds has parts.
func (c *correlation) parted() bool {
	return c.key != nil && len(c.key.Parts) > 0 && !c.key.Restores
}

// restoresParts reports whether c restores parts, which takes no windows.
func (c *correlation) restoresParts() bool {
	return c.key != nil && len(c.key.Parts) > 0 && c.key.Restores
}

// checkParts refuses what parts cannot do, and ties what restores to the rest of
// its entry.
func (l *linker) checkParts(c *correlation) error {
	for _, name := range c.doc.Rules {
		if inner := l.inner[name]; inner != nil && (inner.parted() || c.restoresParts()) {
			return c.doc.Errorf("the correlation names %q, which does not go with parts: name the rules that it names", name)
		}
	}
	switch {
	case c.restoresParts() && c.doc.Type != sigma.EventCount:
		return c.doc.Errorf("parts are restored by single events: use type event_count and condition {gte: 1}")
	case c.restoresParts():
		c.key.group.restoring = append(c.key.group.restoring, c)
		for _, of := range c.key.group.found {
			of.inner = append(of.inner, c)
		}
	case !c.parted():
	case c.key.special() || c.key.Baseline != nil || c.key.Sides != nil || c.waits || c.doc.Numeric() || c.doc.Type == sigma.Temporal:
		return c.doc.Errorf("parts go with event_count and value_count that ask for gt or gte, and with temporal_ordered, and without other keys that say how the correlation is judged")
	case c.doc.Type == sigma.ValueCount && !slices.Equal(c.doc.Field, c.key.Parts):
		return c.doc.Errorf("the parts of a value_count are what it counts: give condition.field and parts the same fields")
	default:
		c.key.group.found = append(c.key.group.found, c)
		c.inner = append(c.inner, c.key.group.restoring...)
	}
	return nil
}

// partFields reads which fields make a part of the events that feed f, none if
// the alias leaves the rule out.
func (b *builder) partFields(f *feeder) error {
	c := f.to
	if c.key == nil || len(c.key.Parts) == 0 || c.doc.Type == sigma.ValueCount {
		return nil
	}
	rule := f.steps[len(f.steps)-1].name
	for _, name := range c.key.Parts {
		if of, isAlias := c.doc.Aliases[name]; isAlias && of[rule] == "" {
			return nil
		}
	}
	var err error
	f.parts, err = b.fields(f, c.key.Parts)
	return err
}

// appendPart appends the part that the event is, as the values of a group; empty
// if it lacks one of them.
func (f *feeder) appendPart(b []byte, s *scope, subject, entry string) []byte {
	var few [4]string
	values := few[:0]
	for _, field := range f.parts {
		text := field.first(s, subject, entry)
		if text == "" {
			return appendText(b, "")
		}
		values = append(values, text)
	}
	return appendGroup(b, "", values)
}

// partSide names a part, as it is stored, as a side of a violation.
func partSide(part string) string {
	_, values, _ := strings.Cut(part, keySep)
	return strings.ReplaceAll(values, keySep, joiner)
}
