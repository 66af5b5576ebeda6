package detectors

import "fmt"

// warnOfFeeders warns of entries in force that go by the clock and by rules which
// are switched off.
func (s *Set) warnOfFeeders() {
	for _, c := range s.Clock {
		if c.disabledBy != "" {
			continue
		}
		for _, entry := range c.GoesBy {
			for _, r := range s.Disabled {
				if r.Entry == entry {
					s.Warnings = append(s.Warnings, fmt.Errorf("%s goes by %q, too, which %s disables, and sees nothing of it: enable that, or disable entry:%s too",
						c.Entry, entry, r.disabledBy, c.Entry))
				}
			}
		}
	}
}
