package sigma

import (
	"math/big"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// reference evaluates a detection straight from its parsed form, slowly and by
// other means than the matchers: patterns become regular expressions, numbers
// big.Rat. It is the oracle of the differential tests.
type reference struct {
	fields *Fields
	lists  map[string][]string
	cache  map[string]*regexp.Regexp
}

func (r *reference) match(d *Detection, ev Event) bool {
	held := false
	for _, x := range d.conditions {
		held = held || r.expr(x, ev)
	}
	for _, f := range d.filters {
		held = held && r.match(f, ev)
	}
	return held
}

func (r *reference) expr(x expr, ev Event) bool {
	switch x := x.(type) {
	case exprAnd:
		for _, c := range x {
			if !r.expr(c, ev) {
				return false
			}
		}
		return true
	case exprOr:
		for _, c := range x {
			if r.expr(c, ev) {
				return true
			}
		}
		return false
	case exprNot:
		return !r.expr(x.x, ev)
	case exprRef:
		return r.search(x.s, ev)
	}
	of := x.(exprOf)
	held := 0
	for _, s := range of.refs {
		if r.search(s, ev) {
			held++
		}
	}
	return held == len(of.refs) || !of.all && held > 0
}

func (r *reference) search(s *search, ev Event) bool {
	for _, g := range s.groups {
		all := true
		for _, it := range g.items {
			all = all && r.item(it, ev) != it.mods.neq
		}
		if all {
			return true
		}
	}
	return false
}

func (r *reference) item(it *item, ev Event) bool {
	var values []Value
	if it.keyword {
		ev.Keywords(func(s string) bool { values = append(values, Value{String, s}); return true })
	} else {
		for _, v := range ev.Values(r.fields.Slot(it.field)) {
			if v.Kind != Missing {
				values = append(values, v)
			}
		}
	}
	if it.mods.kind == "exists" {
		return (len(values) > 0) == (it.values[0].kind == True)
	}
	held := 0
	for _, l := range it.values {
		if r.literal(it, l, values, ev) {
			held++
		}
	}
	return held == len(it.values) || !it.mods.all && held > 0
}

func (r *reference) literal(it *item, l literal, values []Value, ev Event) bool {
	if l.kind == Null {
		for _, v := range values {
			if v.Kind == Null {
				return true
			}
		}
		return len(values) == 0
	}
	texts := []string{l.text}
	if it.mods.expand {
		texts, _, _ = expand(l.text, r.lists, func(s string) string { return s })
	}
	for _, text := range texts {
		for _, v := range values {
			if v.Kind != Null && r.value(it, l, text, v, ev) {
				return true
			}
		}
	}
	return false
}

func (r *reference) value(it *item, l literal, text string, v Value, ev Event) bool {
	m := &it.mods
	switch {
	case m.kind == "re":
		return r.regexp(withFlags(text, m.flags)).MatchString(v.Text)
	case m.kind == "cidr":
		p, _ := netip.ParsePrefix(text)
		a, err := netip.ParseAddr(v.Text)
		return v.Kind == String && err == nil && p.Contains(a)
	case m.kind == "fieldref":
		for _, o := range ev.Values(r.fields.Slot(text)) {
			if o.hasText() && r.pattern([]token{{tokenText, o.Text}}, m).MatchString(v.Text) {
				return true
			}
		}
		return false
	case m.compare != "":
		return (v.Kind == Number || v.Kind == String) && compareRat(m.compare, v.Text, text)
	}
	if l.kind == Number && m.place == "" && v.Kind == Number && compareRat("eq", v.Text, text) {
		return true
	}
	texts := []string{text}
	if m.windash {
		texts, _ = windash(text)
	}
	for _, s := range texts {
		for _, tokens := range encoded(s, m.encodings) {
			if r.pattern(tokens, &modifiers{place: firstOf(m.place, ifSet(it.keyword, "contains")), cased: m.cased}).MatchString(v.Text) {
				return true
			}
		}
	}
	return false
}

func (r *reference) pattern(tokens []token, m *modifiers) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(map[bool]string{false: "(?is)", true: "(?s)"}[m.cased])
	if m.place == "" || m.place == "startswith" {
		b.WriteString(`\A`)
	}
	b.WriteString("(?:")
	for _, t := range tokens {
		b.WriteString([]string{regexp.QuoteMeta(t.text), ".", ".*"}[t.kind])
	}
	b.WriteString(")")
	if m.place == "" || m.place == "endswith" {
		b.WriteString(`\z`)
	}
	return r.regexp(b.String())
}

func (r *reference) regexp(s string) *regexp.Regexp {
	if re, ok := r.cache[s]; ok {
		return re
	}
	re := regexp.MustCompile(s)
	r.cache[s] = re
	return re
}

func compareRat(op, a, b string) bool {
	x, ok1 := new(big.Rat).SetString(strings.TrimSpace(a))
	y, ok2 := new(big.Rat).SetString(b)
	if !ok1 || !ok2 || strings.ContainsAny(a, "/_xXoObBpP") {
		return false
	}
	c := x.Cmp(y)
	switch op {
	case "gt":
		return c > 0
	case "gte":
		return c >= 0
	case "lt":
		return c < 0
	case "lte":
		return c <= 0
	}
	return c == 0
}

// checkAll compares plain evaluation, the set and the explanation with the
// reference for every rule, and that what a matching rule requires is there.
func checkAll(t *testing.T, rules []*Detection, fields *Fields, events []Event) (held int) {
	t.Helper()
	var matchers []*Matcher
	for _, d := range rules {
		m, err := Compile(d, Options{Fields: fields, Placeholders: testLists})
		if err != nil {
			t.Fatal(err)
		}
		matchers = append(matchers, m)
	}
	ref := &reference{fields, testLists, make(map[string]*regexp.Regexp)}
	set, scratch := NewSet(matchers), NewScratch()
	for _, ev := range events {
		inSet := make(map[int]bool)
		for _, i := range set.Match(ev, scratch, nil) {
			inSet[i] = true
		}
		for i, m := range matchers {
			want := ref.match(rules[i], ev)
			if got := m.Match(ev); got != want {
				t.Fatalf("rule %d matched %v, reference %v\n%s", i, got, want, m.Explain(ev))
			}
			if inSet[i] != want {
				t.Fatalf("rule %d: set %v, reference %v; it requires %+v\n%s", i, inSet[i], want, m.Required(), m.Explain(ev))
			}
			if want {
				held++
				checkRequired(t, m, ev)
			}
		}
	}
	return held
}

func checkRequired(t *testing.T, m *Matcher, ev Event) {
	t.Helper()
	if m.Never() {
		t.Fatalf("a matcher that never matches did\n%s", m.Explain(ev))
	}
	for _, r := range m.Required() {
		if !passes(r, ev) {
			t.Fatalf("matched without its requirement %+v\n%s", r, m.Explain(ev))
		}
	}
}

func passes(r Requirement, ev Event) bool {
	var values []Value
	if r.Slot == KeywordSlot {
		ev.Keywords(func(s string) bool { values = append(values, Value{String, s}); return true })
	} else {
		values = ev.Values(r.Slot)
	}
	for _, v := range values {
		keys, end := v.AppendKeys(nil)
		for _, want := range r.Values {
			if r.Kind == Exact && (string(keys[:end]) == want || string(keys[end:]) == want && end < len(keys)) ||
				r.Kind == Substring && strings.Contains(string(keys[:end]), want) && utf8.ValidString(want) {
				return true
			}
		}
		if r.Kind == Present && v.Kind != Missing {
			return true
		}
	}
	return false
}
