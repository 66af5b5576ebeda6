package sigma

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A tester decides on one value. It does not allocate.
type tester interface{ test(v Value) bool }

// automatonMin is the number of contains texts from which on one pass for all of
// them is faster than one each.
const automatonMin = 6

// setMin is the number of equal texts from which on they are looked up.
const setMin = 6

// keyBuffer is the length of texts that are folded for a look-up.
const keyBuffer = 256

type (
	anyTest     struct{}
	equalTest   struct{ lit literalText }
	prefixTest  struct{ lit literalText }
	suffixTest  struct{ lit literalText }
	containTest struct{ lit literalText }
	globTest    struct{ g *glob }
	numberTest  struct{ canonical string }
	limitTest   struct{ limit limit }
	cidrTest    struct{ nets []netip.Prefix }
	setTest     struct {
		folded  map[string]struct{}
		longest int
	}
	regexTest struct {
		re  *regexp.Regexp
		pre literalText
	}
	dateTest struct {
		unit  string
		limit limit
	}
	automatonTest struct{ a *automaton }
)

func (anyTest) test(v Value) bool { return v.hasText() }

func (t *equalTest) test(v Value) bool {
	return v.hasText() && t.lit.is(v.Text)
}

func (t *prefixTest) test(v Value) bool { return v.hasText() && t.lit.begins(v.Text) }

func (t *suffixTest) test(v Value) bool { return v.hasText() && t.lit.suffix(v.Text) }

func (t *containTest) test(v Value) bool {
	if !v.hasText() {
		return false
	}
	start, _ := t.lit.index(v.Text, 0)
	return start >= 0
}

func (t *globTest) test(v Value) bool { return v.hasText() && t.g.match(v.Text) }

// test compares numbers whose spelling differs; equal spellings are an
// equalTest's affair.
func (t *numberTest) test(v Value) bool {
	if v.Kind != Number {
		return false
	}
	if plainInt(v.Text) {
		return v.Text == t.canonical
	}
	var buf [64]byte
	return string(appendCanonical(buf[:0], v.Text)) == t.canonical
}

func (t *limitTest) test(v Value) bool {
	return (v.Kind == Number || v.Kind == String) && t.limit.holds(v.Text)
}

func (t *cidrTest) test(v Value) bool {
	if v.Kind != String {
		return false
	}
	a, ok := parseAddress(v.Text)
	if !ok {
		return false
	}
	for _, n := range t.nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

func (t *setTest) test(v Value) bool {
	// Folding makes no text shorter than a third of itself.
	if !v.hasText() || len(v.Text) > 3*t.longest {
		return false
	}
	var buf [keyBuffer * 3 / 2]byte // a rune may grow from two bytes to three
	_, ok := t.folded[string(appendFold(buf[:0], v.Text))]
	return ok
}

func (t *regexTest) test(v Value) bool {
	if !v.hasText() {
		return false
	}
	if t.pre.text != "" {
		if start, _ := t.pre.index(v.Text, 0); start < 0 {
			return false
		}
	}
	return t.re.MatchString(v.Text)
}

func (t *dateTest) test(v Value) bool {
	if v.Kind != String {
		return false
	}
	n, ok := datePart(v.Text, t.unit)
	if !ok {
		return false
	}
	if t.limit.whole {
		return t.limit.holdsInt(n)
	}
	return ordered(t.limit.op, float64(n), t.limit.x)
}

func (t *automatonTest) test(v Value) bool { return v.hasText() && t.a.contains(v.Text) }

// merge joins the testers of an or: equal texts into a set, contained texts into
// an automaton, networks into a list.
func merge(in []tester) []tester {
	var equals, contains []literalText
	var nets []netip.Prefix
	var out []tester
	for _, t := range in {
		switch t := t.(type) {
		case *equalTest:
			equals = append(equals, t.lit)
		case *containTest:
			contains = append(contains, t.lit)
		case *cidrTest:
			nets = append(nets, t.nets...)
		default:
			out = append(out, t)
		}
	}
	if len(nets) > 0 {
		out = append(out, &cidrTest{nets})
	}
	out = append(mergeEquals(equals), out...)
	return append(out, mergeContains(contains)...)
}

func mergeEquals(lits []literalText) []tester {
	set := &setTest{folded: make(map[string]struct{})}
	var out []tester
	for _, l := range lits {
		if len(lits) >= setMin && !l.cased && len(l.text) <= keyBuffer/3 {
			set.folded[l.text] = struct{}{}
			set.longest = max(set.longest, len(l.text))
			continue
		}
		out = append(out, &equalTest{l})
	}
	if len(set.folded) > 0 {
		out = append([]tester{set}, out...)
	}
	return out
}

func mergeContains(lits []literalText) []tester {
	var out []tester
	var texts []string
	for _, l := range lits {
		if len(lits) >= automatonMin && !l.cased && l.text != "" && utf8.ValidString(l.text) {
			texts = append(texts, l.text)
			continue
		}
		out = append(out, &containTest{l})
	}
	if len(texts) > 0 {
		slices.Sort(texts)
		out = append(out, &automatonTest{newAutomaton(slices.Compact(texts))})
	}
	return out
}

// placeTest compares the text of one field with that of another.
func placeTest(place, text, other string, cased bool) bool {
	if cased {
		switch place {
		case "contains":
			return strings.Contains(text, other)
		case "startswith":
			return strings.HasPrefix(text, other)
		case "endswith":
			return strings.HasSuffix(text, other)
		}
		return text == other
	}
	return foldedPlace(place, text, other)
}
