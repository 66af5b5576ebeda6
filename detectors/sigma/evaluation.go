package sigma

import (
	"cmp"
	"slices"
)

// lean returns a node that holds for the same events, without those nodes that
// are only there to be explained.
func lean(n node) node {
	switch n := n.(type) {
	case *andNode:
		return and(label{}, conjuncts(n))
	case *orNode:
		var parts []node
		for _, p := range n.parts {
			if p := lean(p); isOr(p) {
				parts = append(parts, p.(*orNode).parts...)
			} else {
				parts = append(parts, p)
			}
		}
		return or(label{}, parts)
	case *notNode:
		return &notNode{lean(n.part)}
	}
	return n
}

func isOr(n node) bool { _, ok := n.(*orNode); return ok }

// conjuncts returns what must all hold for n to hold.
func conjuncts(n node) []node {
	conjunction, ok := n.(*andNode)
	if !ok {
		return []node{n}
	}
	var out []node
	for _, p := range conjunction.parts {
		out = append(out, conjuncts(lean(p))...)
	}
	return out
}

// evaluation is a matcher as a set asks it: its root's conjunction, taken apart.
// It holds for the same events, since parts depend on nothing but the event;
// those come first that cost little or that few events meet, and what the index
// has settled is not asked again.
type evaluation struct {
	all  []node
	rest []node // without the part that the index settles
}

func (e *evaluation) match(ev Event, settled bool) bool {
	parts := e.all
	if settled {
		parts = e.rest
	}
	for _, p := range parts {
		if !p.match(ev) {
			return false
		}
	}
	return true
}

// ordered returns what must all hold for m to hold.
func (b *setBuilder) ordered(m *Matcher) []node {
	parts := slices.Clone(conjuncts(m.lean))
	slices.SortStableFunc(parts, func(x, y node) int { return cmp.Compare(b.effort(x), b.effort(y)) })
	return parts
}

// effort orders parts: by what the host says of their fields, then by what the
// tests cost.
func (b *setBuilder) effort(n node) float64 {
	switch n := n.(type) {
	case *fieldNode:
		return b.advised(n.reqs...) + effortOf(n.groups)
	case *existsNode:
		return b.advised(Requirement{Slot: n.slot})
	case *nullNode:
		return b.advised(Requirement{Slot: n.slot})
	case *refNode:
		return b.advised(Requirement{Slot: n.slot}, Requirement{Slot: n.other}) + 0.3
	case *notNode:
		return b.effort(n.part) + 0.01 // what is excepted is seldom
	case *andNode:
		return b.most(n.parts)
	case *orNode:
		return b.most(n.parts)
	}
	return 10 // keywords: every string of the event
}

func (b *setBuilder) most(parts []node) float64 {
	most := 0.0
	for _, p := range parts {
		most = max(most, b.effort(p))
	}
	return most + 0.01*float64(len(parts))
}

func (b *setBuilder) advised(reqs ...Requirement) float64 {
	most := 0.0
	for _, r := range reqs {
		if b.advice.Effort != nil {
			most = max(most, b.advice.Effort(r))
		}
	}
	return most
}

// effortOf is what tests of a value cost, roughly.
func effortOf(groups [][]tester) float64 {
	sum := 0.0
	for _, g := range groups {
		for _, t := range g {
			switch t.(type) {
			case *equalTest, *numberTest, *setTest, anyTest:
				sum += 0.001
			case *prefixTest, *suffixTest, *limitTest:
				sum += 0.01
			case *containTest, *automatonTest, *cidrTest, *dateTest:
				sum += 0.1
			default:
				sum += 0.3
			}
		}
	}
	return sum
}

// settles returns the place of the part that holds whenever a value's folded
// text is among those of the clause, or -1 if there is none: the clause must be
// of one field, and the part ask for nothing but that.
func settles(parts []node, c clause) int {
	if len(c) != 1 || c[0].Kind != Exact {
		return -1
	}
	return slices.IndexFunc(parts, func(n node) bool {
		f, ok := n.(*fieldNode)
		return ok && f.slot == c[0].Slot && len(f.groups) == 1 && clause(f.reqs).equal(c) && equalsOnly(f.groups[0], c[0].Values)
	})
}

// equalsOnly reports whether one of some testers passes each text whose folded
// form is among values: numbers must have no other spelling than that.
func equalsOnly(tests []tester, values []string) bool {
	equal := map[string]bool{}
	for _, t := range tests {
		switch t := t.(type) {
		case *equalTest:
			equal[t.lit.text] = !t.lit.cased
		case *setTest:
			for text := range t.folded {
				equal[text] = true
			}
		case *numberTest:
		default:
			return false
		}
	}
	return !slices.ContainsFunc(values, func(v string) bool { return !equal[v] })
}
