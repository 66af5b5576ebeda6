package detectors

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Pack is an operator's choice among the rules of a set. Rules are picked by
// selectors:
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
	// does not depend on their conditions. A weak value that may be nothing new
	// keeps its lower one.
	Severity map[string]string
}

// PackError is a mistake in a [Pack].
type PackError struct {
	Path []string // where it stands: "disable", "0", or "severity", the selector
	Msg  string
}

// Error implements error.
func (e *PackError) Error() string { return strings.Join(e.Path, ".") + ": " + e.Msg }

// Tune applies a pack to a set that was just loaded. It is called once. The
// error joins one *[PackError] for each mistake; the set is then not to be used.
func (s *Set) Tune(p Pack) error {
	t := &tuning{known: newKnownSelectors(s.Rules)}
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
	s.disable(func(r *Rule) string { return disabledBy(r, disable, enable) })
	return nil
}

// disable takes the rules for which by names a selector out of the set.
func (s *Set) disable(by func(*Rule) string) {
	on := make([]*Rule, 0, len(s.Rules))
	for _, r := range s.Rules {
		if r.disabledBy = by(r); r.disabledBy == "" {
			on = append(on, r)
		} else {
			s.Disabled = append(s.Disabled, r)
		}
	}
	s.Rules = on
	s.unplug()
}

// setSeverities gives every rule the level of the selector that decides.
func (s *Set) setSeverities(levels []leveled) {
	for _, r := range s.Rules {
		best := -1
		for _, l := range levels {
			if !l.picks(r) || int(l.weight) < best {
				continue
			}
			if severity := l.severity; int(l.weight) > best || severity > r.Severity {
				best = int(l.weight)
				for _, same := range s.alike(r) {
					same.override(severity)
				}
			}
		}
	}
}

// override makes severity the level of all findings of r.
func (r *Rule) override(severity Severity) {
	r.Severity, r.severity = severity, nil
}

// DisabledBy returns the selector that switched the rule off, or "".
func (r *Rule) DisabledBy() string { return r.disabledBy }

func disabledBy(r *Rule, disable, enable []selector) string {
	by, best := "", -1
	for _, d := range disable {
		if d.picks(r) && int(d.weight) > best {
			by, best = d.text, int(d.weight)
		}
	}
	for _, e := range enable {
		if e.picks(r) && int(e.weight) >= best {
			return ""
		}
	}
	return by
}

// weight orders selectors: a heavier one is more particular.
type weight uint8

const (
	weighAll weight = iota
	weighMany
	weighSafeguard
	weighEntry
)

// selector picks rules.
type selector struct {
	kind   string // entry, safeguard, tag, group or all
	value  string // lower-cased
	weight weight
	text   string // as written
}

var selectorWeights = map[string]weight{"all": weighAll, "group": weighMany, "tag": weighMany, "safeguard": weighSafeguard, "entry": weighEntry}

func parseSelector(text string) (selector, bool) {
	kind, value, _ := strings.Cut(strings.TrimSpace(text), ":")
	s := selector{kind: kind, value: strings.ToLower(strings.TrimSpace(value)), text: text}
	var ok bool
	s.weight, ok = selectorWeights[kind]
	return s, ok && (kind == "all") == (value == "")
}

func (s selector) same(o selector) bool { return s.kind == o.kind && s.value == o.value }

func (s selector) picks(r *Rule) bool {
	switch s.kind {
	case "entry":
		return strings.EqualFold(r.Entry, s.value)
	case "group":
		return strings.EqualFold(r.Group, s.value)
	case "safeguard":
		return slices.ContainsFunc(r.Safeguards, func(code string) bool { return strings.EqualFold(code, s.value) })
	case "tag":
		return slices.ContainsFunc(r.Tags, func(tag string) bool {
			tag = strings.ToLower(tag)
			return tag == s.value || strings.HasPrefix(tag, s.value+".")
		})
	}
	return true
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

// knownSelectors are the values that pick something, by kind: lower-cased → as
// the rules have them.
type knownSelectors struct {
	rules  []*Rule
	values map[string]map[string]string
}

func newKnownSelectors(rules []*Rule) knownSelectors {
	k := knownSelectors{rules, map[string]map[string]string{"entry": {}, "group": {}, "safeguard": {}, "tag": {}}}
	add := func(kind, value string) { k.values[kind][strings.ToLower(value)] = value }
	for _, r := range rules {
		add("entry", r.Entry)
		add("group", r.Group)
		for _, code := range r.Safeguards {
			add("safeguard", code)
		}
		for _, tag := range r.Tags {
			add("tag", tag)
		}
	}
	return k
}

// selector parses a selector, or says what is wrong with it.
func (k knownSelectors) selector(text string) (s selector, msg string) {
	s, ok := parseSelector(text)
	if !ok {
		return s, fmt.Sprintf("%q is no selector%s", text, cmp.Or(k.guess(text), ": write entry:NAME, safeguard:CODE, group:NAME, tag:NAME or all"))
	}
	if slices.ContainsFunc(k.rules, s.picks) {
		return s, ""
	}
	known := k.values[s.kind]
	if s.kind == "entry" && slices.ContainsFunc(watched, func(m *Meta) bool { return m.Entry == s.value }) {
		return s, fmt.Sprintf("%s is no rule but part of the watch over the audit trail: set its limits under blindness", s.value)
	}
	if meant := closest(s.value, known); meant != "" {
		return s, fmt.Sprintf("no rule has %s %q; did you mean %s:%s?", s.kind, s.value, s.kind, meant)
	}
	if len(known) == 0 {
		return s, fmt.Sprintf("no rule has a %s", s.kind)
	}
	if s.kind == "group" || s.kind == "safeguard" {
		return s, fmt.Sprintf("no rule has %s %q: use one of %s", s.kind, s.value, strings.Join(slices.Sorted(maps.Values(known)), ", "))
	}
	return s, fmt.Sprintf("no rule has %s %q: see phiwatch rules list --output=json", s.kind, s.value)
}

// guess says what was meant by a text that begins with no kind, or with one
// misspelt.
func (k knownSelectors) guess(text string) string {
	kind, value, found := strings.Cut(strings.ToLower(strings.TrimSpace(text)), ":")
	for _, of := range []string{"entry", "safeguard", "tag", "group"} {
		if meant, ok := k.values[of][kind]; ok && !found {
			return fmt.Sprintf("; did you mean %s:%s?", of, meant)
		}
		if found && edits(kind, of, 2) <= 2 {
			return fmt.Sprintf("; did you mean %s:%s?", of, strings.TrimSpace(value))
		}
	}
	return ""
}

// closest returns the known value with the fewest edits from a mistyped one, or
// "" if none is near.
func closest(word string, known map[string]string) string {
	best, found := max(1, min(3, len(word)/4))+1, ""
	for _, low := range slices.Sorted(maps.Keys(known)) {
		if d := edits(word, low, best); d < best {
			best, found = d, known[low]
		}
	}
	return found
}
