package detectors

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/detectors/strict"
)

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

func (s selector) picks(m *Meta) bool {
	switch s.kind {
	case "entry":
		return strings.EqualFold(m.Entry, s.value)
	case "group":
		return strings.EqualFold(m.Group, s.value)
	case "safeguard":
		return slices.ContainsFunc(m.Safeguards, func(code string) bool { return strings.EqualFold(code, s.value) })
	case "tag":
		return slices.ContainsFunc(m.Tags, func(tag string) bool {
			tag = strings.ToLower(tag)
			return tag == s.value || strings.HasPrefix(tag, s.value+".")
		})
	}
	return true
}

// knownSelectors are the values that pick something, by kind: lower-cased → as
// the rules have them.
type knownSelectors struct {
	metas  []*Meta
	values map[string]map[string]string
}

func newKnownSelectors(metas []*Meta) knownSelectors {
	k := knownSelectors{metas, map[string]map[string]string{"entry": {}, "group": {}, "safeguard": {}, "tag": {}}}
	add := func(kind, value string) { k.values[kind][strings.ToLower(value)] = value }
	for _, m := range metas {
		add("entry", m.Entry)
		add("group", m.Group)
		for _, code := range m.Safeguards {
			add("safeguard", code)
		}
		for _, tag := range m.Tags {
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
	if slices.ContainsFunc(k.metas, s.picks) {
		return s, ""
	}
	known := k.values[s.kind]
	if meant := strict.Nearest(s.value, slices.Collect(maps.Values(known))); meant != "" {
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
		if found && sigma.Edits(kind, of, 2) <= 2 {
			return fmt.Sprintf("; did you mean %s:%s?", of, strings.TrimSpace(value))
		}
	}
	return ""
}
