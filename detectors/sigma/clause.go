package sigma

import (
	"cmp"
	"slices"
)

// clause is requirements of which at least one must be met, one a slot.
type clause []Requirement

func (n *andNode) requires() ([]clause, bool) {
	var out []clause
	for _, p := range n.parts {
		reqs, never := p.requires()
		if never {
			return nil, true
		}
		out = append(out, reqs...)
	}
	return out, false
}

func (n *orNode) requires() ([]clause, bool) {
	var out []clause
	first := true
	for _, p := range n.parts {
		reqs, never := p.requires()
		if never {
			continue
		}
		if first {
			out, first = reqs, false
			continue
		}
		out = either(out, reqs)
	}
	return out, first
}

// either returns what is required when one of two lists is: for each slot that
// both name, and the best of one or the best of the other.
func either(a, b []clause) []clause {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	out := []clause{union(slices.MinFunc(a, compareClauses), slices.MinFunc(b, compareClauses))}
	for _, x := range a {
		if len(x) > 1 {
			continue
		}
		var best clause
		for _, y := range b {
			if len(y) == 1 && y[0].Slot == x[0].Slot {
				if u := union(x, y); best == nil || compareClauses(u, best) < 0 {
					best = u
				}
			}
		}
		if best != nil && !slices.ContainsFunc(out, best.equal) {
			out = append(out, best)
		}
	}
	return out
}

// union joins two clauses; requirements on the same slot become one.
func union(a, b clause) clause {
	out := slices.Clone(a)
next:
	for _, y := range b {
		for i, x := range out {
			if x.Slot == y.Slot {
				out[i] = x.or(y)
				continue next
			}
		}
		out = append(out, y)
	}
	return out
}

func (r Requirement) or(other Requirement) Requirement {
	return Requirement{
		Slot:    r.Slot,
		Kind:    min(r.Kind, other.Kind),
		Values:  append(slices.Clone(r.Values), other.Values...),
		numbers: r.numbers || other.numbers,
	}.normal()
}

func (c clause) equal(other clause) bool {
	return slices.EqualFunc(c, other, func(x, y Requirement) bool {
		return x.Slot == y.Slot && x.Kind == y.Kind && slices.Equal(x.Values, y.Values)
	})
}

// compareClauses orders clauses by their weakest requirement, the most useful
// first.
func compareClauses(a, b clause) int { return cmp.Compare(a.weight(), b.weight()) }

func (c clause) weight() float64 {
	w := 0.0
	for _, r := range c {
		w = max(w, r.weight())
	}
	return w + float64(len(c))/1e3
}

// weight is smaller for requirements that fewer events meet and that cost less
// to look for.
func (r Requirement) weight() float64 {
	switch {
	case r.Slot == KeywordSlot:
		return 4
	case r.Kind == Exact:
		return 1 + float64(len(r.Values))/1e6
	case r.Kind == Substring:
		return 2 + 1/float64(1+r.shortest())
	}
	return 3.5
}

func (r Requirement) shortest() int {
	n := len(r.Values[0])
	for _, v := range r.Values {
		n = min(n, len(v))
	}
	return n
}

func clauses(reqs []Requirement) []clause {
	out := make([]clause, len(reqs))
	for i, r := range reqs {
		out[i] = clause{r}
	}
	return out
}

func (n *notNode) requires() ([]clause, bool) { return nil, false }

func (n *fieldNode) requires() ([]clause, bool) { return clauses(n.reqs), n.never }

func (n *keywordNode) requires() ([]clause, bool) {
	var out []Requirement
	for _, r := range n.reqs {
		if r.Kind == Exact { // a keyword with another place than contains
			r.Kind = Substring
			r = r.normal()
		}
		if r.Kind == Substring {
			out = append(out, r)
		}
	}
	return clauses(out), n.never
}

func (n *nullNode) requires() ([]clause, bool) { return nil, false }

func (n *existsNode) requires() ([]clause, bool) {
	if !n.want {
		return nil, false
	}
	return []clause{{{Slot: n.slot, Kind: Present}}}, false
}

func (n *refNode) requires() ([]clause, bool) {
	return []clause{{{Slot: n.slot, Kind: Present}}, {{Slot: n.other, Kind: Present}}}, false
}
