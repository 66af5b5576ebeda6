package detectors

import (
	"slices"
	"strings"
)

// alike returns the rules that report as the entry of r: r, and for a
// correlation the further ones of the same entry.
func (s *Set) alike(r *Rule) []*Rule {
	out := []*Rule{r}
	for _, c := range s.correlations {
		if c.rule != r && r.correlation != nil && c.rule.Entry == r.Entry {
			out = append(out, c.rule)
		}
	}
	return out
}

// unplug takes the correlations of disabled rules out of the set, and what then
// nothing is fed by. Correlations in force that name a disabled rule are warned
// of: they see nothing of it.
func (s *Set) unplug() {
	if len(s.Disabled) == 0 || len(s.correlations) == 0 {
		return
	}
	needed := s.needed()
	s.correlations = slices.DeleteFunc(s.correlations, func(c *correlation) bool { return !needed[c] })
	rules := s.silent
	for _, r := range slices.Concat(s.Rules, s.silent) {
		for i := range r.halves {
			r.halves[i].feeders = neededOnly(r.halves[i].feeders, needed)
			if h := r.halves[i].attempt; h != nil {
				h.feeders = neededOnly(h.feeders, needed)
			}
		}
	}
	s.silent = slices.DeleteFunc(rules, func(r *Rule) bool {
		return !slices.ContainsFunc(r.halves, func(h half) bool { return len(h.feeders) > 0 })
	})
	for _, c := range s.correlations {
		s.warnOfDisabled(c)
	}
}

// needed returns the correlations that report or feed one that does.
func (s *Set) needed() map[*correlation]bool {
	off := map[string]*Rule{}
	for _, r := range s.Disabled {
		off[r.Entry] = r
	}
	needed := map[*correlation]bool{}
	for _, c := range slices.Backward(s.correlations) { // those that name others come later
		if r := off[c.rule.Entry]; r != nil {
			c.reports, c.rule.disabledBy = false, r.disabledBy
		}
		if c.reports || needed[c] {
			needed[c] = true
			for _, inner := range c.inner {
				needed[inner] = true
			}
		}
	}
	return needed
}

// neededOnly returns the feeders whose correlations are needed, all the way out.
func neededOnly(feeders []*feeder, needed map[*correlation]bool) []*feeder {
	feeders = slices.DeleteFunc(feeders, func(f *feeder) bool { return !needed[f.to] })
	for _, f := range feeders {
		f.parents = neededOnly(f.parents, needed)
	}
	return feeders
}

func (s *Set) warnOfDisabled(c *correlation) {
	var told []string
	for _, f := range c.feeders {
		by, name := f.from.rule.disabledBy, f.steps[0].name
		if by == "" || strings.HasPrefix(name, everyEntry) || slices.Contains(told, name) {
			continue
		}
		told = append(told, name)
		s.Warnings = append(s.Warnings, c.doc.Errorf("the correlation names %q, which %s disables, and sees nothing of it: enable that, or disable entry:%s too", name, by, c.rule.Entry))
	}
}
