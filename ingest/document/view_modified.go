package document

// Where lists of modified properties stand: Entra audit, Graph, unified audit,
// Intune.
var modifiedPlaces = places(
	"properties.targetResources.modifiedProperties",
	"targetResources.modifiedProperties",
	"ModifiedProperties",
	"properties.Targets.ModifiedProperties",
	"properties.ModifiedProperties",
)

// modifiedEntry adds what p asks of one modified property.
func (d *Document) modifiedEntry(t *tape, i uint32, p *Path, s *sink) {
	if t.nodes[i].kind != Object || !p.named(t, t.nameOf(i, modifiedView)) {
		return
	}
	old := t.anyMember(i, "oldValue", "Old")
	now := t.anyMember(i, "newValue", "New")
	switch p.side {
	case oldSide:
		t.decoded(old, p.segs, s)
	case newSide:
		t.decoded(now, p.segs, s)
	case addedSide:
		d.difference(t, now, old, p.segs, s)
	case removedSide:
		d.difference(t, old, now, p.segs, s)
	}
}

// decoded walks value i (0: nothing) through every layer of JSON in strings.
func (t *tape) decoded(i uint32, segs []segment, s *sink) {
	if i == 0 {
		return
	}
	outer := s.decode
	s.decode = true
	t.walk(i, segs, s)
	s.decode = outer
}

// difference adds the values at segs of value a that value b does not have.
// Case does not make a difference; null and empty lists are no values.
func (d *Document) difference(t *tape, a, b uint32, segs []segment, s *sink) {
	have := sink{dst: d.scratch[1][:0]}
	t.decoded(a, segs, &have)
	lack := sink{dst: d.scratch[2][:0]}
	t.decoded(b, segs, &lack)
	d.scratch[1], d.scratch[2] = have.dst, lack.dst
	s.addLacking(have.dst, lack.dst)
}

// addLacking adds the values of have that lack does not have.
func (s *sink) addLacking(have, lack []Value) {
	known := newTextSet(lack)
	for _, v := range have {
		if v.Kind != Null && v.Kind != Array && !known.has(v.Text) {
			s.add(v)
		}
	}
}

// fewValues is up to where looking at each is faster than a map; a hostile
// record could hold so many that looking at each would take hours.
const fewValues = 64

// textSet is the texts of some values, ASCII case aside.
type textSet struct {
	values []Value
	lower  map[string]bool // nil for few
}

func newTextSet(values []Value) textSet {
	if len(values) <= fewValues {
		return textSet{values: values}
	}
	set := make(map[string]bool, len(values))
	for _, v := range values {
		if v.Kind != Null {
			set[lower(v.Text)] = true
		}
	}
	return textSet{lower: set}
}

func (s textSet) has(text string) bool {
	if s.lower != nil {
		return s.lower[lower(text)]
	}
	return contains(s.values, text)
}

func contains(values []Value, text string) bool {
	for _, v := range values {
		if v.Kind != Null && foldEqual(v.Text, text) {
			return true
		}
	}
	return false
}
