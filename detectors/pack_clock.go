package detectors

import "slices"

// ClockRule is an entry that no rule file describes, since no event tells of it: it
// goes by the clock, or by what the ledger of violations says. Packs reach it like a
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
func (s *Set) ByClock(entry string) *ClockRule {
	i := slices.IndexFunc(s.Clock, func(c *ClockRule) bool { return c.Entry == entry })
	if i < 0 {
		return nil
	}
	return s.Clock[i]
}

// clockRules makes entries in force.
func clockRules(metas []*Meta) (out []*ClockRule) {
	for _, m := range metas {
		out = append(out, &ClockRule{Meta: *m})
	}
	return out
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
