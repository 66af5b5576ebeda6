package sigma

import (
	"errors"
	"regexp"
	"unicode/utf8"
)

// tests compiles the values of an item into groups of testers, with what each
// group requires.
func (c *compiler) tests(it *item, slot int) (groups [][]tester, reqs []Requirement, never bool) {
	var all []tester
	var needs []need
	for _, v := range it.values {
		ts, ns := c.value(it, v)
		if !it.mods.all {
			all, needs = append(all, ts...), append(needs, ns...)
			continue
		}
		groups = append(groups, merge(ts))
		reqs = append(reqs, requirement(slot, ns))
		never = never || len(ts) == 0
	}
	if !it.mods.all {
		return [][]tester{merge(all)}, []Requirement{requirement(slot, needs)}, len(all) == 0
	}
	return groups, reqs, never
}

// value compiles one value; placeholders and encodings make several testers of
// it, joined by or.
func (c *compiler) value(it *item, v literal) ([]tester, []need) {
	var out []tester
	var needs []need
	for _, text := range c.expanded(it, v) {
		t, n, err := it.tester(text, v)
		if err != nil {
			c.errs = append(c.errs, v.at.errorf("%s: %v", it.name(), err))
			continue
		}
		out, needs = append(out, t...), append(needs, n...)
	}
	return out, needs
}

func (c *compiler) expanded(it *item, v literal) []string {
	if !it.mods.expand {
		return []string{v.text}
	}
	quote := func(s string) string { return s }
	if it.mods.kind == "re" {
		quote = regexp.QuoteMeta
	}
	out, unset, err := expand(v.text, c.opt.Placeholders, quote)
	for _, name := range unset {
		w := v.at.errorf("placeholder %%%s%% has no list and matches nothing: set it", name)
		w.Unset = name
		c.warnings = append(c.warnings, w)
	}
	if err != nil {
		c.errs = append(c.errs, v.at.errorf("%s: %v", it.name(), err))
	}
	return out
}

// tester makes the testers of a value without placeholders.
func (it *item) tester(text string, v literal) ([]tester, []need, error) {
	m := &it.mods
	switch {
	case m.unit != "" || m.compare != "":
		return it.numberTester(text, v)
	case m.kind == "re":
		re, err := compileRegexp(text, m.flags)
		if err != nil {
			return nil, nil, err
		}
		pre := regexLiteral(text, m.flags)
		return []tester{&regexTest{re, newLiteral(pre, false)}}, []need{{kind: Substring, text: pre}}, nil
	case m.kind == "cidr":
		p, err := parsePrefix(text)
		if err != nil {
			return nil, nil, err
		}
		return []tester{&cidrTest{nets: append(cidrTest{}.nets, p)}}, []need{{kind: Present}}, nil
	}
	return it.textTesters(text, v)
}

func (it *item) numberTester(text string, v literal) ([]tester, []need, error) {
	v.text = text
	if msg := it.mods.checkNumber(v); msg != "" {
		return nil, nil, errors.New(msg)
	}
	l, _ := newLimit(firstOf(it.mods.compare, "eq"), text)
	if it.mods.unit != "" {
		return []tester{&dateTest{it.mods.unit, l}}, []need{{kind: Present}}, nil
	}
	return []tester{&limitTest{l}}, []need{{kind: Present}}, nil
}

// textTesters makes the testers of a text: windash, then the encodings, then the
// place.
func (it *item) textTesters(text string, v literal) ([]tester, []need, error) {
	m := &it.mods
	texts := []string{text}
	if m.windash {
		var err error
		if texts, err = windash(text); err != nil {
			return nil, nil, err
		}
	}
	place := m.place
	if it.keyword && place == "" {
		place = "contains"
	}
	var out []tester
	var needs []need
	for _, s := range texts {
		if len(m.encodings) > 0 && hasWildcard(s) {
			return nil, nil, errors.New("a wildcard cannot be encoded: escape it in the list")
		}
		for _, tokens := range encoded(s, m.encodings) {
			t, n := patternTester(placed(tokens, place), m.cased)
			out, needs = append(out, t), append(needs, n)
		}
	}
	if v.kind == Number && place == "" && len(m.encodings) == 0 {
		canonical := string(appendCanonical(nil, text))
		out = append(out, &numberTest{canonical})
		needs = append(needs, need{kind: Exact, text: canonical, number: true})
	}
	return out, needs, nil
}

// encoded returns the patterns of a text after its encodings. Encoded text has
// no wildcards.
func encoded(s string, encodings []string) [][]token {
	if len(encodings) == 0 {
		return [][]token{parsePattern(s)}
	}
	texts := []string{plain(parsePattern(s))}
	for _, name := range encodings {
		var next []string
		for _, t := range texts {
			next = append(next, encode(t, name)...)
		}
		texts = next
	}
	out := make([][]token, len(texts))
	for i, t := range texts {
		out[i] = []token{{tokenText, t}}
	}
	return out
}

func patternTester(tokens []token, cased bool) (tester, need) {
	shape, text := shapeOf(tokens)
	lit := newLiteral(text, cased)
	n := need{kind: Substring, text: fold(text)}
	if !utf8.ValidString(text) {
		n = need{kind: Present}
	}
	switch shape {
	case shapeAny:
		return anyTest{}, need{kind: Present}
	case shapeEqual:
		n.kind = max(n.kind, Present)
		if n.kind == Substring {
			n.kind = Exact
		}
		return &equalTest{lit}, n
	case shapePrefix:
		return &prefixTest{lit}, n
	case shapeSuffix:
		return &suffixTest{lit}, n
	case shapeContains:
		return &containTest{lit}, n
	}
	g := newGlob(tokens, cased)
	return &globTest{g}, need{kind: Substring, text: fold(g.longest())}
}
