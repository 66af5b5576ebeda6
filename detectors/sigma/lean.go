package sigma

// predicate is a node for evaluation alone: what is there to be explained is left
// out, and what is looked at lies together, since most of the time goes into
// fetching it.
type predicate interface{ match(ev Event) bool }

type (
	allOf  []predicate
	anyOf  []predicate
	noneOf struct{ of predicate }
	equals struct { // one text
		slot int
		lit  literalText
	}
	tested struct { // one test
		slot int
		test tester
	}
	testedAny struct {
		slot  int
		tests []tester
	}
)

func (p allOf) match(ev Event) bool {
	for _, q := range p {
		if !q.match(ev) {
			return false
		}
	}
	return true
}

func (p anyOf) match(ev Event) bool {
	for _, q := range p {
		if q.match(ev) {
			return true
		}
	}
	return false
}

func (p noneOf) match(ev Event) bool { return !p.of.match(ev) }

func (p *equals) match(ev Event) bool {
	for _, v := range ev.Values(p.slot) {
		if v.hasText() && p.lit.is(v.Text) {
			return true
		}
	}
	return false
}

func (p *tested) match(ev Event) bool {
	for _, v := range ev.Values(p.slot) { //nolint:modernize // a method value costs more than the loop
		if p.test.test(v) {
			return true
		}
	}
	return false
}

func (p *testedAny) match(ev Event) bool { return anyMatches(p.tests, ev.Values(p.slot)) }

// lean returns what holds for the same events as n.
func lean(n node) predicate {
	switch n := n.(type) {
	case *andNode:
		return leanAll(conjuncts(nil, n)).alone()
	case *orNode:
		var some anyOf
		for _, p := range n.parts {
			switch p := lean(p).(type) {
			case anyOf:
				some = append(some, p...)
			default:
				some = append(some, p)
			}
		}
		if len(some) == 1 {
			return some[0]
		}
		return some
	case *notNode:
		return noneOf{lean(n.part)}
	case *fieldNode:
		return n.lean()
	}
	return n
}

func leanAll(parts []node) (all allOf) {
	for _, p := range parts {
		switch p := lean(p).(type) {
		case allOf:
			all = append(all, p...)
		default:
			all = append(all, p)
		}
	}
	return all
}

// alone is p, or what it consists of if that is one.
func (p allOf) alone() predicate {
	if len(p) == 1 {
		return p[0]
	}
	return p
}

func (n *fieldNode) lean() predicate {
	if len(n.groups) == 0 {
		return n
	}
	var all allOf
	for _, tests := range n.groups {
		var p predicate = &testedAny{n.slot, tests}
		if len(tests) == 1 {
			p = &tested{n.slot, tests[0]}
			if t, ok := tests[0].(*equalTest); ok {
				p = &equals{n.slot, t.lit}
			}
		}
		all = append(all, p)
	}
	return all.alone()
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
