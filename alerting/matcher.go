package alerting

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"phiwatch/detectors"
)

// RouteLabels are the labels that matchers and group_by may name. To a matcher
// safeguard is every seed code of the entry, to group_by the first of them; group
// is the part of the catalog that the entry is in.
var RouteLabels = []string{"entry", "group", "safeguard", "severity", "subject", "tenant"}

// matcher is one condition on a label, in Alertmanager's syntax.
type matcher struct {
	label, value string
	regex        *regexp.Regexp // anchored; nil for = and !=
	not          bool
}

// Longest first: "=" begins "=~".
var operators = []string{"!~", "=~", "!=", "="}

// parseMatcher reads `label op "value"`; the quotes may be left out.
func parseMatcher(s string) (*matcher, error) {
	at := strings.IndexAny(s, "=!")
	if at < 0 {
		return nil, fmt.Errorf(`matcher %q has no operator: write label="value", with one of = != =~ !~`, s)
	}
	i := slices.IndexFunc(operators, func(op string) bool { return strings.HasPrefix(s[at:], op) })
	if i < 0 {
		return nil, fmt.Errorf(`matcher %q has no operator: write label="value", with one of = != =~ !~`, s)
	}
	op := operators[i]
	m := &matcher{label: strings.TrimSpace(s[:at]), not: op[0] == '!'}
	if err := checkLabel(m.label); err != nil {
		return nil, fmt.Errorf("matcher %q: %w", s, err)
	}
	value, err := unquote(strings.TrimSpace(s[at+len(op):]))
	if err != nil {
		return nil, fmt.Errorf("matcher %q: %w", s, err)
	}
	m.value = value
	if m.label == "severity" && m.value == informational {
		m.value = detectors.Info.String() // one spelling, one route identity
	}
	if op == "=~" || op == "!~" {
		if m.regex, err = regexp.Compile("^(?s:" + value + ")$"); err != nil {
			return nil, fmt.Errorf("matcher %q: %w (RE2 syntax; a literal point is \\.)", s, err)
		}
	}
	return m, m.checkValue(s)
}

func unquote(s string) (string, error) {
	if !strings.HasPrefix(s, `"`) && !strings.HasSuffix(s, `"`) {
		return s, nil
	}
	value, err := strconv.Unquote(s)
	if err != nil {
		return "", fmt.Errorf(`value %s is not a quoted string: begin and end it with ", and write \" and \\ inside`, s)
	}
	return value, nil
}

func checkLabel(name string) error {
	if slices.Contains(RouteLabels, name) {
		return nil
	}
	return fmt.Errorf("unknown label %q: use one of %s", name, strings.Join(RouteLabels, ", "))
}

// checkValue finds the matchers of a closed set that no value of it satisfies:
// a route that is never taken is a page that is never sent.
func (m *matcher) checkValue(s string) error {
	values := map[string][]string{"severity": severities(), "group": groups}[m.label]
	if values == nil {
		return nil
	}
	satisfies := func(value string) bool { return m.holds(spellings(m.label, value)) }
	if m.regex == nil && !slices.Contains(values, m.value) || !slices.ContainsFunc(values, satisfies) {
		return fmt.Errorf("matcher %q: %q is no %s: use %s", s, m.value, m.label, strings.Join(values, ", "))
	}
	return nil
}

// groups are the parts of the catalog.
var groups = []string{"integrity", "authentication", "transmission", "audit"}

func severities() []string {
	var out []string
	for s := detectors.Info; s <= detectors.Critical; s++ {
		out = append(out, s.String())
	}
	return out
}

// informational is Sigma's word for info. Both are taken.
const informational = "informational"

// spellings are the values that a label with this value has for a matcher.
func spellings(label, value string) []string {
	if label == "severity" && value == detectors.Info.String() {
		return []string{value, informational}
	}
	return []string{value}
}

// holds reports whether the values of a label satisfy the matcher: = and =~ want
// one of them to be it, != and !~ none. A label without a value is empty.
func (m *matcher) holds(values []string) bool {
	if len(values) == 0 {
		values = []string{""}
	}
	return slices.ContainsFunc(values, m.is) != m.not
}

func (m *matcher) is(value string) bool {
	if m.regex != nil {
		return m.regex.MatchString(value)
	}
	return value == m.value
}

// String is the matcher in one spelling, whatever the configuration wrote.
func (m *matcher) String() string {
	op := "="
	switch {
	case m.regex != nil && m.not:
		op = "!~"
	case m.regex != nil:
		op = "=~"
	case m.not:
		op = "!="
	}
	return m.label + op + strconv.Quote(m.value)
}
