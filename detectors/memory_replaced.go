package detectors

import (
	"strings"
	"time"
)

// Of some values none is stronger than another, but only the right one will do,
// such as the certificates that an organisation trusts. A value remembered with
//
//	NAME: {field: FIELD, weak: replaced, unconfirmed: LEVEL}
//
// is weak from the event that puts another one in its place until one is back
// that was accepted: the first that is known, or one that stood for three days
// before it was replaced. What was in force long ago counts, too.
//
// Nothing shows that the first value is right, and of one of which the record
// holds only the beginning, followed by "...", nothing shows that the rest is the
// same when it is set again. With unconfirmed these are weak, of that level, on a
// side of their own that a person closes.
const replaced = "replaced"

// unconfirmed is in the name of the side of what only a person can confirm.
const unconfirmed = ", unconfirmed"

// verdict is what an event says of a value that may have been replaced.
type verdict uint8

const (
	nothing   verdict = iota // the same as long before
	right                    // an accepted value is in force
	wrong                    // another one is
	undecided                // it may be either
)

// tenure is which value is in force as events tell it, the oldest first.
type tenure struct {
	accepted map[string]bool // nil: no value is known
	value    string
	since    time.Time
	verdict  verdict
}

// tell returns what an event says that tells a value.
func (s *tenure) tell(value string, at time.Time) verdict {
	old := at.Sub(s.since) >= lateness
	switch {
	case s.accepted == nil:
		s.accepted = map[string]bool{value: true}
		s.value, s.since, s.verdict = value, at, undecided
	case value != s.value:
		if old {
			s.accepted[s.value] = true
		}
		s.value, s.since, s.verdict = value, at, wrong
		if s.accepted[value] {
			s.verdict = right
		}
	case strings.HasSuffix(value, "...") && (old || s.verdict == right):
		return undecided
	case old && s.verdict != right:
		return nothing
	}
	return s.verdict
}

// replaced returns the sides that event f shows weak and strong after a history
// of events before it, and how many of these tell the value.
func (v *remembered) replaced(history []Finding, f *Finding) (weak, strong []string, earlier int) {
	s := new(tenure)
	for i := range history {
		if texts, says := history[i].Told[v.name]; says && history[i].Time.Before(f.Time) {
			s.tell(asOneText(texts), history[i].Time)
			earlier++
		}
	}
	switch s.tell(asOneText(f.Told[v.name]), f.Time) {
	case right:
		return nil, []string{v.name}, earlier
	case wrong:
		return []string{v.name}, nil, earlier
	case undecided:
		if v.unconfirmed != nil {
			return []string{v.name + unconfirmed}, nil, earlier
		}
	}
	return nil, nil, earlier
}

// asOneText is a value that may come in several.
func asOneText(texts []string) string { return strings.TrimSpace(strings.Join(texts, "\n")) }

// lowers reports whether sides are weak only as far as nobody has confirmed v.
func (v *remembered) lowers(weak []string) bool {
	return v.unconfirmed != nil && len(weak) == 1 && weak[0] == v.name+unconfirmed
}

// confirming reads the level of what nobody has confirmed; empty: it is nothing.
func confirming(level string) (*Severity, error) {
	if level == "" {
		return nil, nil
	}
	severity, err := parseLevel(level)
	return &severity, err
}
