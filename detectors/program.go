package detectors

import (
	"slices"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// program is what the engine does with one kind of event. The walk over the
// record that decodes it reads the fields that the index is over, too; the
// index names the few halves to evaluate, which read further fields as they
// need them.
type program struct {
	halves  []int // index in set → index in the engine
	weakens []int // index in set → that of what weakens what this restores; -1: none
	set     *sigma.Set

	plan    *ingest.Plan     // of the walk; nil: there is none
	walk    []*document.Path // what it is to read
	further []int            // slots of the rules beyond the index that it reads, too
	places  []fields.Place   // of the rules' slots
	direct  []int32          // of the rules' slots: the slot of the walk whose values are the field's; -1: see places
	present presence         // fields of the index that have values when a slot of the walk has
	always  []indexed        // fields of the index of which that is not known
}

// indexed is a field of the index: its slot, -1 if its values are as the walk has
// them, and its place there.
type indexed struct {
	field, place int32
	next         uint16 // of those of a slot of the walk, as in presence
}

// buildPrograms compiles the halves that read each kind, and the plan by which
// events are to be decoded for them.
func buildPrograms(halves []half, table *fields.Table) ([]program, *ingest.Plan) {
	programs := make([]program, len(ingest.Kinds()))
	for _, k := range ingest.Kinds() {
		p := &programs[k]
		var matchers []*sigma.Matcher
		for i := range halves {
			if halves[i].reads(k) {
				p.weakens = append(p.weakens, p.weakening(halves, i))
				p.halves = append(p.halves, i)
				matchers = append(matchers, halves[i].match)
			}
		}
		p.set = sigma.NewSetBy(matchers, table.Advice())
		p.further = table.Further(p.set, matchers, p.matchSlots(halves))
		p.walk = table.Walked(append(p.set.Slots(), p.further...))
	}
	plan := ingest.NewPlan(func(k ingest.Kind) []*document.Path { return programs[k].walk })
	for _, k := range ingest.Kinds() {
		programs[k].plan = plan
		programs[k].connect(table, plan.Extra(k))
	}
	return programs, plan
}

// weakening returns the place in p, so far, of the half that finds what half i
// restores, or -1.
func (p *program) weakening(halves []half, i int) int {
	w := halves[i].weakening()
	return slices.IndexFunc(p.halves, func(k int) bool { return w != nil && halves[k].rule == w.rule && halves[k].state == w.state })
}

// matchSlots returns the slots of what a match of the program's halves is made of.
func (p *program) matchSlots(halves []half) (out []int) {
	for _, i := range p.halves {
		out = halves[i].slots(out)
	}
	return out
}

// connect notes where the walk puts the fields of the index.
func (p *program) connect(table *fields.Table, slots []int) {
	p.places, p.direct = make([]fields.Place, table.Len()), slices.Repeat([]int32{-1}, table.Len())
	next := 0
	take := func(n int) []int {
		next += n
		return slots[next-n : next]
	}
	for place, field := range p.set.Slots() {
		from, known := table.Place(field, take)
		p.read(field, from)
		in := indexed{field: int32(field), place: int32(place)}
		if !known {
			p.always = append(p.always, in)
		}
		if _, direct := from.Direct(); direct {
			in.field = -1
		}
		for _, slot := range from.Slots {
			p.present.add(slot, in)
		}
	}
	for _, field := range p.further {
		from, _ := table.Place(field, take)
		p.read(field, from)
	}
}

// read notes where a field's values are.
func (p *program) read(field int, from fields.Place) {
	p.places[field] = from
	if slot, ok := from.Direct(); ok {
		p.direct[field] = int32(slot)
	}
}

// presence has the fields of each slot.
type presence struct {
	first []uint16 // by slot: 1 + the place of its first field in list; 0: it has none
	list  []indexed
}

func (p *presence) add(slot int, in indexed) {
	for len(p.first) <= slot {
		p.first = append(p.first, 0)
	}
	in.next = p.first[slot]
	p.list = append(p.list, in)
	p.first[slot] = uint16(len(p.list))
}

// noProgram is a program without index and walk, over n fields.
func noProgram(n int) *program {
	return &program{set: sigma.NewSet(nil), places: make([]fields.Place, n), direct: slices.Repeat([]int32{-1}, n)}
}
