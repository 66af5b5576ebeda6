package sigma

import (
	"fmt"
	"slices"
	"strings"
)

// modifierNames lists every modifier of the specification's appendix.
var modifierNames = []string{"all", "base64", "base64offset", "cased", "cidr", "contains", "day", "endswith", "exists",
	"expand", "fieldref", "gt", "gte", "hour", "i", "lt", "lte", "m", "minute", "month", "neq", "re", "s", "startswith",
	"utf16", "utf16be", "utf16le", "week", "wide", "windash", "year"}

// modifiers is a legal chain of modifiers, by what each contributes.
type modifiers struct {
	place     string   // "", contains, startswith, endswith
	kind      string   // "", re, cidr, exists, fieldref
	compare   string   // "", gt, gte, lt, lte
	unit      string   // "", minute … year: the part of a date that is compared
	encodings []string // in the order given
	windash   bool
	flags     string // of re: i, m, s
	cased     bool
	expand    bool
	all       bool
	neq       bool
}

// parseModifiers checks a chain of modifiers. The error says what would be
// right; it has no position.
func parseModifiers(names []string, keyword bool) (modifiers, error) {
	var m modifiers
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return m, fmt.Errorf("modifier %s is given twice", name)
		}
		if err := m.add(name); err != nil {
			return m, err
		}
	}
	if err := m.check(); err != nil {
		return m, err
	}
	if keyword {
		return m, m.checkKeyword()
	}
	return m, nil
}

func (m *modifiers) add(name string) error {
	switch name {
	case "contains", "startswith", "endswith":
		return choose(&m.place, name, "contains alone covers both")
	case "re", "cidr", "exists", "fieldref":
		return choose(&m.kind, name, "they read the value differently")
	case "gt", "gte", "lt", "lte":
		return choose(&m.compare, name, "write one key for each bound, they are joined by and")
	case "minute", "hour", "day", "week", "month", "year":
		return choose(&m.unit, name, "write one key for each part of the date")
	case "base64", "base64offset", "utf16", "utf16be", "utf16le", "wide":
		return m.addEncoding(name)
	case "i", "m", "s":
		if m.kind != "re" {
			return fmt.Errorf("modifier %s belongs to re: write |re|%s", name, name)
		}
		m.flags += name
	case "windash":
		if len(m.encodings) > 0 {
			return fmt.Errorf("windash after %s would change dashes in encoded text: put windash first", m.encodings[0])
		}
		m.windash = true
	case "cased":
		m.cased = true
	case "expand":
		m.expand = true
	case "all":
		m.all = true
	case "neq":
		m.neq = true
	default:
		return fmt.Errorf("modifier %q is not one of Sigma's (%s)%s", name, strings.Join(modifierNames, ", "), didYouMean(name, modifierNames))
	}
	return nil
}

func choose(have *string, name, remedy string) error {
	if *have != "" {
		return fmt.Errorf("modifiers %s and %s exclude each other: %s", *have, name, remedy)
	}
	*have = name
	return nil
}

func (m *modifiers) addEncoding(name string) error {
	if m.place != "" {
		return fmt.Errorf("modifiers apply in the order given: put %s before %s", name, m.place)
	}
	if n := len(m.encodings); n > 0 && m.encodings[n-1] == "base64offset" {
		return fmt.Errorf("base64offset yields fragments, which %s cannot encode again: put base64offset last", name)
	}
	m.encodings = append(m.encodings, name)
	return nil
}

// check refuses combinations that have no meaning.
func (m *modifiers) check() error {
	typed := m.kind != "" || m.compare != "" || m.unit != ""
	textual := firstOf(m.place, firstEncoding(m.encodings), ifSet(m.windash, "windash"))
	switch {
	case m.kind == "exists" && (textual != "" || m.compare != "" || m.unit != "" || m.cased || m.expand || m.all || m.neq):
		return fmt.Errorf("exists stands alone: its value is true or false")
	case m.kind == "exists":
		return nil
	case m.kind == "fieldref" && (m.expand || m.windash || len(m.encodings) > 0):
		return fmt.Errorf("fieldref names a field, whose text %s cannot change", firstOf(ifSet(m.expand, "expand"), textual))
	case m.kind != "" && (m.compare != "" || m.unit != ""):
		return fmt.Errorf("modifiers %s and %s exclude each other", m.kind, firstOf(m.compare, m.unit))
	case m.kind == "re" && textual != "":
		return fmt.Errorf("%s has no meaning with re: a regular expression is searched for anywhere, anchor it with ^ and $", textual)
	case m.kind == "re" && m.cased:
		return fmt.Errorf("re is case-sensitive already (re|i is not): drop cased")
	case typed && m.kind != "fieldref" && textual != "":
		return fmt.Errorf("modifiers %s and %s exclude each other: %s works on text", firstOf(m.kind, m.compare, m.unit), textual, textual)
	case typed && m.kind != "fieldref" && m.cased:
		return fmt.Errorf("modifier %s knows no case: drop cased", firstOf(m.kind, m.compare, m.unit))
	case m.neq && m.compare != "":
		return fmt.Errorf("neq and %s exclude each other: use the opposite comparison", m.compare)
	case m.neq && m.all:
		return fmt.Errorf("neq already demands that the field differs from every value: drop all")
	}
	return nil
}

func (m *modifiers) checkKeyword() error {
	switch {
	case m.kind == "exists" || m.kind == "fieldref":
		return fmt.Errorf("modifier %s needs a field name before it", m.kind)
	case m.compare != "" || m.unit != "":
		return fmt.Errorf("modifier %s needs a field name before it", firstOf(m.compare, m.unit))
	case m.neq:
		return fmt.Errorf("neq needs a field name before it: for keywords use not in the condition")
	}
	return nil
}

func firstOf(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
}

func firstEncoding(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

func ifSet(set bool, name string) string {
	if set {
		return name
	}
	return ""
}
