package detectors

import (
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/sigma"
)

// Some weaknesses end by themselves, and no event says so: a pass is void when
// its lifetime is over. A rule says so with
//
//	safeguard:
//	  lapses: {after: DURATION, list: '%LIST%'}
//
// The violation closes that long after its newest weakening, unless something
// restores it before. DURATION is the longest that the weakness can last; an
// operator who knows of a shorter one puts that on the list, such as 8h.
type lapsesYAML struct {
	After string `yaml:"after"`
	List  string `yaml:"list"`
}

// list is the name of the operator's list, or "".
func (y *lapsesYAML) list() string { return strings.Trim(y.List, "%") }

// lapses reads safeguard.lapses; 0: it never does.
func (b *builder) lapses(sr *sigma.Rule, n *yaml.Node) (time.Duration, error) {
	if n.IsZero() {
		return 0, nil
	}
	var y lapsesYAML
	if err := n.Load(&y, yaml.WithKnownFields(true)); err != nil {
		return 0, at(sr.File, n, "safeguard.lapses: %v", err)
	}
	after, err := positive(y.After)
	if err != nil {
		return 0, at(sr.File, n, "safeguard.lapses: after: %v", err)
	}
	switch set := b.options.Placeholders[y.list()]; {
	case len(set) > 1:
		return 0, at(sr.File, n, "list %s has %d values: give one duration such as 8h, or none for %s", y.list(), len(set), after)
	case len(set) == 1:
		if after, err = positive(set[0]); err != nil {
			return 0, at(sr.File, n, "list %s: %v", y.list(), err)
		}
	}
	return after, nil
}

// positive reads a duration that is not zero.
func positive(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q: use a positive duration such as 8h or 30m", text)
	}
	return d, nil
}
