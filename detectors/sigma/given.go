package sigma

import (
	"slices"
	"strings"
)

// Given returns what d asks of an event beside that a field is value: a
// detection that holds as d does where it is, whatever the field holds. It
// returns false if d or a filter of it asks anything else of the field, or
// nothing. The field has to be one that every event has.
func (d *Detection) Given(field, value string) (*Detection, bool) {
	g := giver{field: field, value: value, only: true, of: map[*search]*search{}}
	out := g.detection(d)
	return out, g.only && g.found
}

// giver makes copies of searches in which items that ask for the value hold for
// every event.
type giver struct {
	field, value string
	found, only  bool
	of           map[*search]*search
}

func (g *giver) detection(d *Detection) *Detection {
	out := *d
	out.searches, out.conditions, out.filters = nil, nil, nil
	for _, s := range d.searches {
		out.searches = append(out.searches, g.search(s))
	}
	out.conditions = g.exprs(d.conditions)
	for _, f := range d.filters {
		out.filters = append(out.filters, g.detection(f))
	}
	return &out
}

func (g *giver) search(s *search) *search {
	out := *s
	out.groups = slices.Clone(s.groups)
	for i := range out.groups {
		items := slices.Clone(out.groups[i].items)
		for k, it := range items {
			items[k] = g.item(it)
		}
		out.groups[i].items = items
	}
	g.of[s] = &out
	return &out
}

func (g *giver) item(it *item) *item {
	if it.mods.kind == "fieldref" && slices.ContainsFunc(it.values, func(v literal) bool { return strings.EqualFold(v.text, g.field) }) {
		g.only = false
	}
	if it.keyword || !strings.EqualFold(it.field, g.field) {
		return it
	}
	g.found = true
	if it.key != it.field || len(it.values) != 1 || !strings.EqualFold(it.values[0].text, g.value) { // with a modifier, too
		g.only = false
		return it
	}
	out := *it
	out.mods = modifiers{kind: "exists"}
	out.values = []literal{{at: it.values[0].at, kind: True, text: it.values[0].text}} // the text is for explanations
	return &out
}

func (g *giver) exprs(list []expr) []expr {
	out := make([]expr, len(list))
	for i, x := range list {
		out[i] = g.expr(x)
	}
	return out
}

func (g *giver) expr(x expr) expr {
	switch x := x.(type) {
	case exprAnd:
		return exprAnd(g.exprs(x))
	case exprOr:
		return exprOr(g.exprs(x))
	case exprNot:
		return exprNot{g.expr(x.x)}
	case exprRef:
		return exprRef{g.of[x.s]}
	case exprOf:
		refs := make([]*search, len(x.refs))
		for i, s := range x.refs {
			refs[i] = g.of[s]
		}
		x.refs = refs
		return x
	}
	return x
}
