package detectors

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Pack is an operator's choice among the rules of a set, and what goes by the
// clock instead of events ([ClockRule]), which is a rule to it like any other.
// Rules are picked by selectors:
//
//	entry:label-removed   the rule of that entry
//	safeguard:MFA         the rules that watch that seed code
//	tag:attack.t1565      the rules with that tag or one below it: attack.t1565.001
//	group:audit           the rules of that group, which is the folder they stand in
//	all                   every rule
//
// Where several pick the same rule, the more particular decides: entry before
// safeguard before tag and group before all. Among equals Enable beats Disable,
// and the more severe level the less severe.
type Pack struct {
	// Disable switches rules off: they are neither evaluated nor counted.
	Disable []string
	// Enable makes exceptions from Disable.
	Enable []string
	// Severity maps selectors to the level of the rules' findings, which then
	// does not depend on their conditions, nor on who is behind them. A weak
	// value that may be nothing new keeps its lower one.
	Severity map[string]string
}

// PackError is a mistake in a [Pack].
type PackError struct {
	Path []string // where it stands: "disable", "0", or "severity", the selector
	Msg  string
}

// Error implements error.
func (e *PackError) Error() string { return strings.Join(e.Path, ".") + ": " + e.Msg }

// Tune applies a pack to a set that was just loaded, and to what goes by the
// clock. It is called once. The error joins one *[PackError] for each mistake;
// the set is then not to be used.
func (s *Set) Tune(p Pack, clock ...*Meta) error {
	s.Clock = clockRules(clock)
	t := &tuning{known: newKnownSelectors(s.metas())}
	disable, enable := t.list("disable", p.Disable), t.list("enable", p.Enable)
	for i, e := range enable {
		if slices.ContainsFunc(disable, e.same) {
			t.fail("stands in disable too; keep one", "enable", strconv.Itoa(i))
		}
	}
	levels := t.levels(p.Severity)
	if err := errors.Join(t.errs...); err != nil {
		return err
	}
	s.setSeverities(levels)
	s.disable(func(m *Meta) string { return disabledBy(m, disable, enable) })
	return nil
}

// disable takes the rules for which by names a selector out of the set.
func (s *Set) disable(by func(*Meta) string) {
	for _, c := range s.Clock {
		c.disabledBy = by(&c.Meta)
	}
	on := make([]*Rule, 0, len(s.Rules))
	for _, r := range s.Rules {
		if r.disabledBy = by(&r.Meta); r.disabledBy == "" {
			on = append(on, r)
		} else {
			s.Disabled = append(s.Disabled, r)
		}
	}
	s.Rules = on
	s.unplug()
	s.warnOfFeeders()
}

// setSeverities gives every rule the level of the selector that decides.
func (s *Set) setSeverities(levels []leveled) {
	for _, r := range s.Rules {
		if severity, ok := levelBy(&r.Meta, levels); ok {
			for _, same := range s.alike(r) {
				same.override(severity)
			}
		}
	}
	for _, c := range s.Clock {
		if severity, ok := levelBy(&c.Meta, levels); ok {
			c.Severity, c.fixed = severity, true
		}
	}
}

// levelBy returns the level of the selector that decides, if one picks m.
func levelBy(m *Meta, levels []leveled) (severity Severity, ok bool) {
	best := -1
	for _, l := range levels {
		w := int(l.weight)
		if l.picks(m) && (w > best || w == best && l.severity > severity) {
			best, severity = w, l.severity
		}
	}
	return severity, best >= 0
}

// override makes severity the level of all findings of r.
func (r *Rule) override(severity Severity) {
	r.Severity, r.severity, r.trusted = severity, nil, nil
}

// DisabledBy returns the selector that switched the rule off, or "".
func (r *Rule) DisabledBy() string { return r.disabledBy }

func disabledBy(m *Meta, disable, enable []selector) string {
	by, best := "", -1
	for _, d := range disable {
		if d.picks(m) && int(d.weight) > best {
			by, best = d.text, int(d.weight)
		}
	}
	for _, e := range enable {
		if e.picks(m) && int(e.weight) >= best {
			return ""
		}
	}
	return by
}

// leveled is a selector with the level it gives.
type leveled struct {
	selector
	severity Severity
}

// tuning collects the mistakes of a pack.
type tuning struct {
	known knownSelectors
	errs  []error
}

func (t *tuning) fail(msg string, path ...string) { t.errs = append(t.errs, &PackError{path, msg}) }

func (t *tuning) list(key string, texts []string) []selector {
	var out []selector
	for i, text := range texts {
		s, msg := t.known.selector(text)
		if msg != "" {
			t.fail(msg, key, strconv.Itoa(i))
			continue
		}
		out = append(out, s)
	}
	return out
}

func (t *tuning) levels(severity map[string]string) []leveled {
	var out []leveled
	for _, text := range slices.Sorted(maps.Keys(severity)) {
		s, msg := t.known.selector(text)
		if msg != "" {
			t.fail(msg, "severity", text)
		}
		level, err := parseLevel(severity[text])
		if severity[text] == "" {
			err = errors.New("has no level: use informational, low, medium, high or critical")
		}
		if err != nil {
			t.fail(err.Error(), "severity", text)
		}
		out = append(out, leveled{s, level})
	}
	return out
}
