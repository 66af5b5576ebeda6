package sigma

// CanHoldWithout reports whether the detection can hold for an event that lacks
// the fields that missing tells of, whatever its other fields are.
func (m *Matcher) CanHoldWithout(missing func(slot int) bool) bool {
	can, _ := outcomes(m.root, missing)
	return can
}

// outcomes reports whether a node can hold, and whether it can fail, when fields
// are missing. Each part is judged for itself: parts that contradict each other
// are not noticed.
func outcomes(n node, missing func(slot int) bool) (holds, fails bool) {
	switch n := n.(type) {
	case *andNode:
		holds = true
		for _, p := range n.parts {
			h, f := outcomes(p, missing)
			holds, fails = holds && h, fails || f
		}
		return holds, fails
	case *orNode:
		fails = true
		for _, p := range n.parts {
			h, f := outcomes(p, missing)
			holds, fails = holds || h, fails && f
		}
		return holds, fails
	case *notNode:
		h, f := outcomes(n.part, missing)
		return f, h
	case *fieldNode:
		return !n.never && !missing(n.slot), true
	case *keywordNode:
		return !n.never, true
	case *nullNode:
		return true, !missing(n.slot)
	case *existsNode:
		if missing(n.slot) {
			return !n.want, n.want
		}
	case *refNode:
		return !missing(n.slot) && !missing(n.other), true
	}
	return true, true
}
