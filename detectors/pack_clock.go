package detectors

import "slices"

// ClockRule is an entry that no rule file describes, since no event tells of it:
// what [Watch] finds, and what else goes by the clock. Packs reach it like a
// rule. A nil one is in force, with levels of its own.
type ClockRule struct {
	Meta
	fixed      bool   // a pack has set the severity
	disabledBy string // the selector of a pack that switched it off
}

// DisabledBy returns the selector that switched the entry off, or "". What is
// off is not judged: neither is anything found, nor does what is open end.
func (c *ClockRule) DisabledBy() string {
	if c == nil {
		return ""
	}
	return c.disabledBy
}

// Level returns the severity of a finding that by itself would have own.
func (c *ClockRule) Level(own Severity) Severity {
	if c == nil || !c.fixed {
		return own
	}
	return c.Severity
}

// ByClock returns the entry that goes by the clock, or nil.
func (s *Set) ByClock(entry string) *ClockRule { return byClock(s.Clock, entry) }

func byClock(rules []*ClockRule, entry string) *ClockRule {
	i := slices.IndexFunc(rules, func(c *ClockRule) bool { return c.Entry == entry })
	if i < 0 {
		return nil
	}
	return rules[i]
}

// clockRules makes entries in force of what Watch finds and of others.
func clockRules(others []*Meta) (out []*ClockRule) {
	for _, m := range append(WatchRules(), others...) {
		out = append(out, &ClockRule{Meta: *m})
	}
	return out
}

// off reports whether a pack has switched m off.
func (o *WatchOptions) off(m *Meta) bool { return byClock(o.Clock, m.Entry).DisabledBy() != "" }

// level returns the severity of a finding of m that by itself would have own.
func (o *WatchOptions) level(m *Meta, own Severity) Severity {
	return byClock(o.Clock, m.Entry).Level(own)
}

// metas returns what selectors look at.
func (s *Set) metas() (out []*Meta) {
	for _, r := range s.Rules {
		out = append(out, &r.Meta)
	}
	for _, c := range s.Clock {
		out = append(out, &c.Meta)
	}
	return out
}
