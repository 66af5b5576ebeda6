package sigma

import (
	"errors"
	"slices"
)

// Options of [Compile].
type Options struct {
	// Fields gives slots to field names. Nil means a table of the matcher's own,
	// which [Matcher.Fields] returns.
	Fields *Fields
	// Placeholders are the lists that |expand puts in for %name%. Each value is
	// a Sigma text, in which * and ? are wildcards. A name without a list matches
	// nothing and is a warning; an empty list matches nothing.
	Placeholders map[string][]string
	// Rename translates field names, for example those of a taxonomy to paths.
	// Nil leaves them.
	Rename func(field string) string
}

// Matcher is a compiled detection. It does not change and may be used
// concurrently.
type Matcher struct {
	Warnings []*Error // placeholders without a list

	root   node
	steps  steps // of root
	begin  int32
	fields *Fields
	slots  []int
}

// Fields returns the table that the matcher's slots are of.
func (m *Matcher) Fields() *Fields { return m.fields }

// Slots returns the slots of the fields that the detection looks at, in rising
// order.
func (m *Matcher) Slots() []int { return m.slots }

// Match reports whether the detection holds for the event. It depends on nothing
// else and does not allocate.
func (m *Matcher) Match(ev Event) bool { return m.steps.run(m.begin, ev) }

// Compile makes a detection ready to match. Its errors are *[Error], joined, and
// stem from placeholders whose values do not fit, or expansions that are too
// large.
func Compile(d *Detection, opt Options) (*Matcher, error) {
	if opt.Fields == nil {
		opt.Fields = &Fields{}
	}
	c := &compiler{opt: opt, searches: make(map[*search]node)}
	root := c.detection(d)
	if len(c.errs) > 0 {
		return nil, errors.Join(c.errs...)
	}
	slices.Sort(c.slots)
	var b stepper
	m := &Matcher{Warnings: c.warnings, root: root, begin: b.one(root, held, failed), fields: opt.Fields, slots: slices.Compact(c.slots)}
	m.steps = b.finish(0, &m.begin)
	return m, nil
}

type compiler struct {
	opt      Options
	searches map[*search]node
	slots    []int
	errs     []error
	warnings []*Error
}

func (c *compiler) detection(d *Detection) node {
	parts := make([]node, 0, 1+len(d.filters))
	conditions := make([]node, 0, len(d.conditions))
	for _, x := range d.conditions {
		conditions = append(conditions, c.expr(x))
	}
	parts = append(parts, or(label{text: "any condition", line: d.Line}, conditions))
	for _, f := range d.filters {
		parts = append(parts, c.detection(f))
	}
	return and(label{text: "condition and filters", line: d.Line}, parts)
}

func and(l label, parts []node) node {
	if len(parts) == 1 {
		return parts[0]
	}
	return &andNode{l, parts}
}

func or(l label, parts []node) node {
	if len(parts) == 1 {
		return parts[0]
	}
	return &orNode{l, parts}
}

func (c *compiler) expr(x expr) node {
	switch x := x.(type) {
	case exprAnd:
		return &andNode{label{text: "and"}, c.exprs(x)}
	case exprOr:
		return &orNode{label{text: "or"}, c.exprs(x)}
	case exprNot:
		return &notNode{c.expr(x.x)}
	case exprRef:
		return c.search(x.s)
	case exprOf:
		parts := make([]node, len(x.refs))
		for i, s := range x.refs {
			parts[i] = c.search(s)
		}
		if x.all {
			return &andNode{label{text: x.text}, parts}
		}
		return &orNode{label{text: x.text}, parts}
	}
	return &orNode{} // a condition that did not parse holds for nothing
}

func (c *compiler) exprs(list []expr) []node {
	out := make([]node, len(list))
	for i, x := range list {
		out[i] = c.expr(x)
	}
	return out
}

// search compiles a search once, however often the condition names it.
func (c *compiler) search(s *search) node {
	if n, ok := c.searches[s]; ok {
		return n
	}
	groups := make([]node, 0, len(s.groups))
	for _, g := range s.groups {
		items := make([]node, 0, len(g.items))
		for _, it := range g.items {
			items = append(items, c.item(it))
		}
		groups = append(groups, and(label{text: "all of", line: g.line}, items))
	}
	n := named(s, groups)
	c.searches[s] = n
	return n
}

// named gives the search's name to the node that stands for it.
func named(s *search, groups []node) node {
	l := label{text: s.name, line: s.line}
	if len(groups) != 1 {
		return &orNode{l, groups}
	}
	if g, ok := groups[0].(*andNode); ok {
		return &andNode{l, g.parts}
	}
	return &andNode{l, groups}
}

func (c *compiler) slot(field string) int {
	if c.opt.Rename != nil {
		field = c.opt.Rename(field)
	}
	slot := c.opt.Fields.Slot(field)
	c.slots = append(c.slots, slot)
	return slot
}

func (c *compiler) item(it *item) node {
	n := c.positive(it)
	if it.mods.neq {
		return &notNode{n}
	}
	return n
}

func (c *compiler) positive(it *item) node {
	l := label{text: it.describe(), line: it.at.line, field: it.field}
	if it.keyword {
		n := &keywordNode{label: l}
		n.groups, n.reqs, n.never = c.tests(it, KeywordSlot)
		return n
	}
	slot := c.slot(it.field)
	switch {
	case it.mods.kind == "exists":
		return &existsNode{slot, it.values[0].kind == True, l}
	case it.mods.kind == "fieldref":
		return c.references(it, l, slot)
	case it.values[0].kind == Null:
		return &nullNode{slot, l}
	}
	n := &fieldNode{label: l, slot: slot}
	n.groups, n.reqs, n.never = c.tests(it, slot)
	return n
}

func (c *compiler) references(it *item, l label, slot int) node {
	parts := make([]node, len(it.values))
	for i, v := range it.values {
		parts[i] = &refNode{l, slot, c.slot(v.text), it.mods.place, it.mods.cased}
	}
	if it.mods.all {
		return and(l, parts)
	}
	return or(l, parts)
}
