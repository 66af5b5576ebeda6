package document

// Fields holds what an Extractor read from one record: for each slot the
// values of its path. The zero value is ready; its memory is used again. The
// values stay valid as long as the record's bytes; the slices until the next
// Extract. Fields is not safe for concurrent use.
type Fields struct {
	slots   [][]Value
	touched []int
	found   [bodyView + 1][]viewEntry
	frozen  []bool // slots that the inner record of CloudApp filled
	outer   bool   // only slots that are not frozen are filled
	noHooks bool

	decoding bool       // JSON in a string counts as what it holds, also where paths end
	sides    [2]*Fields // of a modified property: the old value's, the new one's

	alike []likeness // what is known of this record

	x *Extractor
	d *Document
}

// likeness is whether two paths have the same values.
type likeness struct {
	a, b *Path
	is   bool
}

// viewEntry is one entry of a list of a view, found by the walk.
type viewEntry struct {
	place int
	tape  *tape
	node  uint32
}

// Values returns the values of a slot. The caller must not keep the slice.
func (f *Fields) Values(slot int) []Value { return f.slots[slot] }

// First returns the first value of a slot, Missing if it has none.
func (f *Fields) First(slot int) Value {
	if v := f.slots[slot]; len(v) > 0 {
		return v[0]
	}
	return Value{}
}

// Text returns the text of the first string, number or boolean of a slot, or "".
func (f *Fields) Text(slot int) string {
	for _, v := range f.slots[slot] {
		if v.Scalar() {
			return v.Text
		}
	}
	return ""
}

// Alike returns what is known of two paths having the same values.
func (f *Fields) Alike(a, b *Path) (is, known bool) {
	for i := range f.alike {
		if l := &f.alike[i]; l.a == a && l.b == b {
			return l.is, true
		}
	}
	return false, false
}

// KnowAlike makes it known, until the next Extract.
func (f *Fields) KnowAlike(a, b *Path, is bool) { f.alike = append(f.alike, likeness{a, b, is}) }

// Touched returns the slots that have values, in no order. The caller must not
// keep the slice.
func (f *Fields) Touched() []int { return f.touched }

// Extract reads the paths of x from d into f, whatever f held before.
func (x *Extractor) Extract(d *Document, f *Fields) {
	f.reset(x)
	if len(d.main.nodes) == 0 {
		return
	}
	f.x, f.d = x, d
	if d.layout == CloudApp {
		if t, i := d.rawEvent(); t != nil {
			f.walk(t, i)
			f.freeze()
		}
	}
	f.walk(&d.main, 0)
	f.outer = false
	f.x, f.d = nil, nil
}

func (f *Fields) reset(x *Extractor) {
	for _, slot := range f.touched {
		f.slots[slot] = f.slots[slot][:0]
	}
	f.touched, f.alike = f.touched[:0], f.alike[:0]
	if more := len(x.paths) - len(f.slots); more > 0 {
		first := make([]Value, more) // most have one, and many are read with their neighbours
		for i := range more {
			f.slots = append(f.slots, first[i:i:i+1])
		}
	}
}

// freeze keeps the values found so far from being added to.
func (f *Fields) freeze() {
	f.outer = true
	for len(f.frozen) < len(f.slots) {
		f.frozen = append(f.frozen, false)
	}
	clear(f.frozen)
	for _, slot := range f.touched {
		f.frozen[slot] = true
	}
}

// walk reads every path from value i on.
func (f *Fields) walk(t *tape, i uint32) {
	for v := range f.found {
		f.found[v] = f.found[v][:0]
	}
	f.visit(t, i, f.x.root, false)
	if f.d.lacksProperties() {
		if l := f.x.root.members.exact("properties"); l != nil {
			f.noHooks = true // the places of views are what they are
			f.visit(t, i, l, true)
			f.noHooks = false
		}
	}
	f.readViews(t, i)
}

// visit reads the paths at and below l from value i; inside, only those below.
func (f *Fields) visit(t *tape, i uint32, l *level, inside bool) {
	n := &t.nodes[i]
	if n.kind == Array {
		if n.next == i+1 && !inside {
			f.addAll(l, t, i)
		}
		for c := i + 1; c < n.next; c = t.nodes[c].next {
			f.visit(t, c, l, inside)
		}
		return
	}
	if f.decoding && n.kind == String {
		f.visitText(t, i, l, inside)
		return
	}
	if !inside {
		f.end(t, i, l)
	}
	switch n.kind {
	case Object:
		if l.deeper() {
			f.visitMembers(t, i, l)
		}
	case String:
		if !l.deeper() {
			return
		}
		if child := t.nested(i); child != nil {
			f.visit(child, 0, l, true)
		}
	}
}

// end fills the slots of the paths that end at l, with value i.
func (f *Fields) end(t *tape, i uint32, l *level) {
	if len(l.slots) == 0 {
		return
	}
	if t.nodes[i].kind != Object {
		f.addAll(l, t, i)
		return
	}
	for _, slot := range l.slots {
		s := sink{dst: f.slots[slot], decode: f.decoding}
		t.endObject(i, &s)
		f.set(slot, s.dst)
	}
}

func (f *Fields) addAll(l *level, t *tape, i uint32) {
	if len(l.slots) == 0 {
		return
	}
	v := t.value(i)
	for _, slot := range l.slots {
		f.set(slot, append(f.slots[slot], v))
	}
}

// set makes values, which are those of the slot and more, those of the slot.
func (f *Fields) set(slot int, values []Value) {
	if have := len(f.slots[slot]); have == len(values) || f.outer && f.frozen[slot] {
		return
	} else if have == 0 {
		f.touched = append(f.touched, slot)
	}
	f.slots[slot] = values
}

// visitMembers goes into the members of object i.
func (f *Fields) visitMembers(t *tape, i uint32, l *level) {
	if l.star != nil || t.oddNames {
		f.visitEveryMember(t, i, l)
		return
	}
	raw, nodes, table, shift := t.raw, t.nodes[:t.nodes[i].next], l.members.table, l.members.shift&31
	for c := i + 1; int(c) < len(nodes); {
		n := &nodes[c]
		at, length := n.key, uint32(n.keyLen)
		h := hashName(raw[at], raw[at+length-1], length) >> shift
		if k := table[h]; k >= 0 {
			child := l.members.among(k, alias(raw[at:at+length]))
			if child == nil {
			} else if child.slot >= 0 && (n.kind < String || n.kind == String && !f.decoding) {
				f.set(int(child.slot), append(f.slots[child.slot], t.value(c)))
			} else {
				f.enter(t, c, child.level)
			}
		}
		c = n.next
	}
}

// visitEveryMember is visitMembers for levels that name any member, and for
// names with escapes.
func (f *Fields) visitEveryMember(t *tape, i uint32, l *level) {
	for c := i + 1; c < t.nodes[i].next; c = t.nodes[c].next {
		if child := l.members.search(t, &t.nodes[c]); child != nil {
			f.enter(t, c, child)
		}
		if l.star != nil {
			f.enter(t, c, l.star)
		}
	}
}

// enter reads the paths at and below l from value i, which is a member.
func (f *Fields) enter(t *tape, i uint32, l *level) {
	f.visit(t, i, l, false)
	for k := range l.filtered {
		f.visitFiltered(t, i, &l.filtered[k])
	}
	if !f.noHooks {
		for _, h := range l.hooks {
			f.note(t, i, h)
		}
	}
}

// visitFiltered reads on from the objects that pass.
func (f *Fields) visitFiltered(t *tape, i uint32, l *filteredLevel) {
	n := &t.nodes[i]
	switch n.kind {
	case Array:
		for c := i + 1; c < n.next; c = t.nodes[c].next {
			f.visitFiltered(t, c, l)
		}
	case Object:
		for k := range l.filters {
			if !t.passes(i, &l.filters[k]) {
				return
			}
		}
		f.visit(t, i, l.level, false)
	case String:
		if child := t.nested(i); child != nil {
			f.visitFiltered(child, 0, l)
		}
	}
}
