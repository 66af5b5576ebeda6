package sigma

import (
	"slices"
	"unicode/utf8"
)

// steps are what matchers ask of an event, for evaluation alone: tests that each
// say where to go on, so that a condition is decided without a look at the rest.
// What is there to be explained is left out, and what is looked at lies together,
// since most of the time goes into fetching it.
type steps []step

// step is one test of a value, of the presence of a field, or a node. It is as
// large as what is fetched at once.
type step struct {
	yes, no int32 // the next step, held or failed
	slot    int32
	kind    stepKind
	text    string // of an equal: as the rule has it, and so records mostly have it, too
	test    tester
	node    node
}

type stepKind uint8

const (
	stepTest   stepKind = iota // a value of the field passes the test
	stepEqual                  // likewise, the test being an equalTest
	stepExists                 // the field is there
	stepNode                   // the node holds
)

// Where steps end.
const (
	held   = -1
	failed = -2
)

// run goes through the steps from one on and reports whether they hold.
func (s steps) run(at int32, ev Event) bool {
	for at >= 0 {
		if next := &s[at]; next.holds(ev) {
			at = next.yes
		} else {
			at = next.no
		}
	}
	return at == held
}

func (s *step) holds(ev Event) bool {
	if s.kind == stepNode {
		return s.node.match(ev)
	}
	values := ev.Values(int(s.slot))
	switch s.kind {
	case stepEqual:
		for i := range values {
			if v := &values[i]; v.hasText() && (v.Text == s.text || s.mayEqual(v.Text) && s.test.test(*v)) {
				return true
			}
		}
		return false
	case stepExists:
		return present(values)
	}
	for i := range values { //nolint:modernize // a method value costs more than the loop
		if s.test.test(values[i]) {
			return true
		}
	}
	return false
}

// mayEqual reports whether a text begins as what it should equal does; most do not.
func (s *step) mayEqual(text string) bool {
	return text == "" || s.text == "" || text[0] >= utf8.RuneSelf || s.text[0] >= utf8.RuneSelf || lower[text[0]] == lower[s.text[0]]
}

// stepper appends the steps of nodes, the last ones first.
type stepper struct{ out steps }

// finish puts the steps in the order in which they are gone through, from a place
// on, and tells where some of them are then.
func (b *stepper) finish(from int32, entries ...*int32) steps {
	last := from + int32(len(b.out)) - 1
	for i := range b.out {
		entries = append(entries, &b.out[i].yes, &b.out[i].no)
	}
	for _, at := range entries {
		if *at >= 0 {
			*at = last - *at
		}
	}
	slices.Reverse(b.out)
	return b.out
}

// add appends a step and returns its place.
func (b *stepper) add(s step) int32 {
	b.out = append(b.out, s)
	return int32(len(b.out) - 1)
}

// all appends nodes that must all hold, and returns where they begin.
func (b *stepper) all(parts []node, yes, no int32) int32 {
	for _, p := range slices.Backward(parts) {
		yes = b.one(p, yes, no)
	}
	return yes
}

// one appends what holds for the same events as n, and returns where it begins.
func (b *stepper) one(n node, yes, no int32) int32 {
	switch n := n.(type) {
	case *andNode:
		return b.all(n.parts, yes, no)
	case *orNode:
		for _, p := range slices.Backward(n.parts) {
			no = b.one(p, yes, no)
		}
		return no
	case *notNode:
		return b.one(n.part, no, yes)
	case *existsNode:
		if !n.want {
			yes, no = no, yes
		}
		return b.add(step{yes: yes, no: no, slot: int32(n.slot), kind: stepExists})
	case *fieldNode:
		if len(n.groups) > 0 {
			for _, tests := range slices.Backward(n.groups) {
				yes = b.any(n.slot, tests, yes, no)
			}
			return yes
		}
	}
	return b.add(step{yes: yes, no: no, kind: stepNode, node: n})
}

// any appends tests of which one must pass.
func (b *stepper) any(slot int, tests []tester, yes, no int32) int32 {
	for _, t := range slices.Backward(tests) {
		s := step{yes: yes, no: no, slot: int32(slot), test: t}
		if equal, ok := t.(*equalTest); ok {
			s.kind, s.text = stepEqual, equal.lit.raw
		}
		no = b.add(s)
	}
	return no
}

// conjuncts appends what must all hold for n to hold.
func conjuncts(out []node, n node) []node {
	if some, ok := n.(*orNode); ok && len(some.parts) == 1 {
		return conjuncts(out, some.parts[0])
	}
	all, ok := n.(*andNode)
	if !ok {
		return append(out, n)
	}
	for _, p := range all.parts {
		out = conjuncts(out, p)
	}
	return out
}
