package sigma

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxConditionDepth bounds the nesting of parentheses and nots.
const maxConditionDepth = 100

// expr is a parsed condition.
type expr any

type (
	exprAnd []expr
	exprOr  []expr
	exprNot struct{ x expr }
	exprRef struct{ s *search }
	// exprOf is "1 of x*" or "all of x*".
	exprOf struct {
		text string
		all  bool
		refs []*search
	}
)

// condition reads one condition or a list of them, joined by or.
func (p *problems) condition(d *Detection, parent, n *yaml.Node) {
	switch {
	case n == nil:
		p.errorf(parent, "the detection has no condition: add one, for example condition: %s", exampleCondition(d))
		return
	case n.Kind == yaml.ScalarNode:
		p.addCondition(d, n)
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0:
		for _, c := range n.Content {
			p.addCondition(d, resolve(c))
		}
	default:
		p.errorf(n, "the condition must be text or a list of texts")
		return
	}
	if len(p.errs) == 0 {
		p.warnUnused(d)
		p.warnConstant(d, n)
	}
}

func exampleCondition(d *Detection) string {
	if len(d.searches) == 0 {
		return "selection"
	}
	return d.searches[0].name
}

func (p *problems) addCondition(d *Detection, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || strings.TrimSpace(n.Value) == "" {
		p.errorf(n, "the condition is empty: name a search, for example %s", exampleCondition(d))
		return
	}
	c := &conditionParser{text: n.Value, searches: d.searches}
	c.next()
	x := c.or(0)
	if c.err == "" && c.token != "" {
		c.fail("unexpected %q: join searches with and, or, not", c.token)
	}
	if c.err == "" {
		d.conditions = append(d.conditions, x)
		return
	}
	at := *n
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 && !strings.Contains(n.Value, "\n") {
		at.Column += c.errAt
		if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			at.Column++
		}
	}
	p.errorf(&at, "condition: %s", c.err)
}

func (p *problems) warnUnused(d *Detection) {
	used := make(map[*search]bool)
	for _, x := range d.conditions {
		markUsed(x, used)
	}
	for _, s := range d.searches {
		if !used[s] && !strings.HasPrefix(s.name, "_") {
			p.warnf(&yaml.Node{Line: s.line, Column: s.column}, "search %q is not used by the condition: use it or drop it", s.name)
		}
	}
}

func markUsed(x expr, used map[*search]bool) {
	switch x := x.(type) {
	case exprAnd:
		for _, c := range x {
			markUsed(c, used)
		}
	case exprOr:
		for _, c := range x {
			markUsed(c, used)
		}
	case exprNot:
		markUsed(x.x, used)
	case exprRef:
		used[x.s] = true
	case exprOf:
		for _, s := range x.refs {
			used[s] = true
		}
	}
}

// conditionParser is a recursive descent over tokens; the first error stops it.
// or binds least, then and, not, "x of", parentheses.
type conditionParser struct {
	text     string
	searches []*search
	pos      int    // after token
	start    int    // of token
	token    string // "" at the end
	err      string
	errAt    int
}

// fail records the first error, at the current token, and ends the parse.
func (c *conditionParser) fail(format string, args ...any) expr {
	return c.failAt(c.start, format, args...)
}

func (c *conditionParser) failAt(at int, format string, args ...any) expr {
	if c.err == "" {
		c.err, c.errAt = fmt.Sprintf(format, args...), at
	}
	c.token, c.pos = "", len(c.text)
	return nil
}

func (c *conditionParser) next() {
	for c.pos < len(c.text) && strings.IndexByte(" \t\r\n", c.text[c.pos]) >= 0 {
		c.pos++
	}
	c.start = c.pos
	if c.pos < len(c.text) && strings.IndexByte("()|", c.text[c.pos]) >= 0 {
		c.pos++
	} else {
		for c.pos < len(c.text) && strings.IndexByte(" \t\r\n()|", c.text[c.pos]) < 0 {
			c.pos++
		}
	}
	c.token = c.text[c.start:c.pos]
	if c.token == "|" {
		c.fail("%s", aggregationRemedy(c.text[c.pos:]))
	}
}

func (c *conditionParser) is(word string) bool { return strings.EqualFold(c.token, word) }

func (c *conditionParser) or(depth int) expr {
	list := exprOr{c.and(depth)}
	for c.is("or") {
		c.next()
		list = append(list, c.and(depth))
	}
	if len(list) == 1 {
		return list[0]
	}
	return list
}

func (c *conditionParser) and(depth int) expr {
	list := exprAnd{c.not(depth)}
	for c.is("and") {
		c.next()
		list = append(list, c.not(depth))
	}
	if len(list) == 1 {
		return list[0]
	}
	return list
}

func (c *conditionParser) not(depth int) expr {
	if depth > maxConditionDepth {
		return c.fail("nested more than %d deep", maxConditionDepth)
	}
	if c.is("not") {
		c.next()
		return exprNot{c.not(depth + 1)}
	}
	return c.primary(depth)
}

func (c *conditionParser) primary(depth int) expr {
	switch {
	case c.err != "":
		return nil
	case c.token == "":
		return c.fail("it ends where a search is expected")
	case c.token == "(":
		c.next()
		x := c.or(depth + 1)
		if c.err == "" && c.token != ")" {
			return c.fail("a parenthesis is not closed: add )")
		}
		c.next()
		return x
	case c.token == ")" || c.is("and") || c.is("or") || c.is("of"):
		return c.fail("unexpected %q where a search is expected", c.token)
	}
	word := c.token
	start := c.start
	c.next()
	if c.is("of") {
		return c.of(word, start)
	}
	return c.reference(word, start)
}

func (c *conditionParser) reference(word string, start int) expr {
	for _, s := range c.searches {
		if s.name == word {
			return exprRef{s}
		}
	}
	if strings.Contains(word, "*") {
		return c.failAt(start, "%q needs a quantifier: write 1 of %s or all of %s", word, word, word)
	}
	if word == "them" {
		return c.failAt(start, "them needs a quantifier: write 1 of them or all of them")
	}
	return c.failAt(start, "search %q is not defined%s", word, c.known(word))
}

func (c *conditionParser) known(word string) string {
	var names []string
	for _, s := range c.searches {
		names = append(names, s.name)
	}
	if hint := didYouMean(word, names); hint != "" {
		return hint
	}
	return ": this detection defines " + strings.Join(names, ", ")
}

// of reads what follows "1 of" or "all of". Searches whose names begin with an
// underscore are not meant by them, nor by a pattern that does not begin so.
func (c *conditionParser) of(quantifier string, start int) expr {
	if !slices.Contains([]string{"1", "any", "all"}, strings.ToLower(quantifier)) {
		return c.failAt(start, "%q of is not defined by Sigma: write 1 of or all of", quantifier)
	}
	c.next()
	target, at := c.token, c.start
	if target == "" || target == "(" || target == ")" {
		return c.fail("%s of needs a pattern, for example %s of selection*", quantifier, quantifier)
	}
	x := exprOf{text: quantifier + " of " + target, all: strings.EqualFold(quantifier, "all")}
	pattern := target
	if strings.EqualFold(target, "them") {
		pattern = "*"
	}
	for _, s := range c.searches {
		if matchName(pattern, s.name) {
			x.refs = append(x.refs, s)
		}
	}
	if len(x.refs) == 0 {
		return c.failAt(at, "no search matches %q%s", target, c.known(target))
	}
	c.next()
	return x
}

func matchName(pattern, name string) bool {
	if strings.HasPrefix(name, "_") && !strings.HasPrefix(pattern, "_") {
		return false
	}
	pattern = strings.NewReplacer(`\`, `\\`, "?", `\?`, "[", `\[`, "/", "\x00").Replace(pattern)
	ok, _ := path.Match(pattern, strings.ReplaceAll(name, "/", "\x00"))
	return ok
}
