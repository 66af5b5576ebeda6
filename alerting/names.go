package alerting

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"phiwatch/detectors/strict"
)

// Names are what rules call things, those included that are switched off.
type Names struct {
	Entries    []string
	Safeguards []string // all seed codes, not only the first of each entry
}

// SetNames says what a request may ask for. Until it is called, it may ask for
// anything.
func (l *Ledger) SetNames(n Names) { l.names.Store(&n) }

// checkNames finds what a filter names and there is not: an empty list for a
// misspelt name would look like good news. What the ledger holds of rules that
// are gone can still be asked for.
func (l *Ledger) checkNames(ctx context.Context, f *Filter) (*badParameter, error) {
	n := l.names.Load()
	if n == nil {
		return nil, nil
	}
	for _, p := range []struct {
		name          string
		values, known []string
		remedy        string
		held          func(value string) Filter
	}{
		{"entry", f.Entry, n.Entries, "phiwatch rules list prints them all", func(s string) Filter { return Filter{Entry: []string{s}} }},
		{"safeguard", f.Safeguard, n.Safeguards, "use one of " + strings.Join(n.Safeguards, ", "), func(s string) Filter { return Filter{Safeguard: []string{s}} }},
	} {
		for _, s := range p.values {
			if slices.Contains(p.known, s) {
				continue
			}
			one := p.held(s)
			one.Limit = 1
			if found, _, err := l.Violations(ctx, one); err != nil || len(found) > 0 {
				return nil, err
			}
			if meant := strict.Nearest(s, p.known); meant != "" {
				return &badParameter{p.name, fmt.Errorf("no rule has %s %q: did you mean %s?", p.name, s, meant)}, nil
			}
			return &badParameter{p.name, fmt.Errorf("no rule has %s %q: %s", p.name, s, p.remedy)}, nil
		}
	}
	return nil, nil
}
