package sigma

import (
	"cmp"
	"slices"
)

// evaluation is where a set begins to ask what a matcher asks: its root's
// conjunction, taken apart. It holds for the same events, since parts depend on
// nothing but the event; those come first that cost little or that few events
// meet, and what the index has settled is not asked again.
type evaluation struct {
	all  int32
	rest int32 // behind the part that the index settles
}

// parts orders what m asks.
func (b *setBuilder) parts(m *Matcher) []node {
	parts := conjuncts(nil, m.root)
	slices.SortStableFunc(parts, func(x, y node) int { return cmp.Compare(b.effort(x), b.effort(y)) })
	return parts
}

// evaluate makes the steps of a matcher; the part at a place is settled by the
// index, if it is one.
func (b *setBuilder) evaluate(i int32, parts []node, settled int) {
	e := &b.set.matchers[i]
	var first []node
	if settled >= 0 {
		first, parts = parts[settled:settled+1], slices.Concat(parts[:settled], parts[settled+1:])
	}
	var s stepper
	e.rest = s.all(parts, held, failed)
	e.all = s.all(first, e.rest, failed)
	b.set.steps = append(b.set.steps, s.finish(int32(len(b.set.steps)), &e.all, &e.rest)...)
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
