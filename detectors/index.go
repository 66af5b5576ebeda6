package detectors

import (
	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// group is the index of one kind of event over one field: from the values that
// halves require there to those halves. A half that requires nothing that can
// be indexed is in the group without a field.
type group struct {
	slot    int // -1: no field, every half of always is evaluated
	byValue map[string][]int
	always  []int
}

// buildIndex sorts the halves into groups by kind.
func buildIndex(halves []half) [][]group {
	index := make([][]group, len(ingest.Kinds()))
	for _, k := range ingest.Kinds() {
		bySlot := map[int]*group{}
		var order []int
		for i := range halves {
			if !halves[i].reads(k) {
				continue
			}
			slot, values := bestRequirement(halves[i].match)
			g := bySlot[slot]
			if g == nil {
				g = &group{slot: slot, byValue: map[string][]int{}}
				bySlot[slot] = g
				order = append(order, slot)
			}
			g.add(i, values)
		}
		for _, slot := range order {
			index[k] = append(index[k], *bySlot[slot])
		}
	}
	return index
}

func (g *group) add(half int, values []string) {
	if g.slot < 0 {
		g.always = append(g.always, half)
		return
	}
	for _, v := range values {
		g.byValue[v] = append(g.byValue[v], half)
	}
}

// bestRequirement picks the exact requirement with the fewest values: the most
// selective guess. Slot is -1 when there is none.
func bestRequirement(m *sigma.Matcher) (slot int, values []string) {
	slot = -1
	for _, r := range m.Required() {
		if r.Kind != sigma.Exact || r.Slot == sigma.KeywordSlot {
			continue
		}
		if slot < 0 || len(r.Values) < len(values) {
			slot, values = r.Slot, r.Values
		}
	}
	return slot, values
}

// match evaluates the halves of the group that the event's values call for.
func (g *group) match(s *scope, halves []half, out []Match) []Match {
	for _, i := range g.always {
		out = halves[i].eval(s, out)
	}
	if g.slot < 0 {
		return out
	}
	for _, v := range s.Values(g.slot) {
		keys, end := v.AppendKeys(s.keys[:0])
		out = g.candidates(keys[:end], s, halves, out)
		if len(keys) > end { // a number in its simplest spelling
			out = g.candidates(keys[end:], s, halves, out)
		}
		s.keys = keys
	}
	return out
}

func (g *group) candidates(key []byte, s *scope, halves []half, out []Match) []Match {
	for _, i := range g.byValue[string(key)] {
		if s.first(i) {
			out = halves[i].eval(s, out)
		}
	}
	return out
}
