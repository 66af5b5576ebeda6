package document

import "slices"

// A modified property holds its old and its new value as JSON in strings. Rules
// ask for many members of a few properties, so each value is walked once for all
// the paths into it.

// modifiedGroup is the paths of one property.
type modifiedGroup struct {
	name  string
	paths []*Path // what they have behind the side, each once
	asks  []modifiedAsk
	x     *Extractor // of paths
}

// modifiedAsk says which values of a path of the group are those of a slot.
type modifiedAsk struct {
	slot, path int
	side       changeSide
}

func (v *viewIndex) addModified(name string, slot int, p *Path) {
	bucket := &v.modified[min(len(name), len(v.modified)-1)]
	var group *modifiedGroup
	for _, g := range *bucket {
		if foldEqual(g.name, name) {
			group = g
		}
	}
	if group == nil {
		group = &modifiedGroup{name: name}
		*bucket = append(*bucket, group)
	}
	group.asks = append(group.asks, modifiedAsk{slot: slot, path: group.pathOf(p.segs), side: p.side})
}

// pathOf returns the place of the path with the segments, new if need be.
func (g *modifiedGroup) pathOf(segs []segment) int {
	for k, have := range g.paths {
		if sameSegments(have.segs, segs) {
			return k
		}
	}
	g.paths = append(g.paths, &Path{segs: segs})
	return len(g.paths) - 1
}

func sameSegments(a, b []segment) bool {
	if len(a) != len(b) {
		return false
	}
	for k := range a {
		if a[k].star != b[k].star || !foldEqual(a[k].name, b[k].name) || !slices.Equal(a[k].filters, b[k].filters) {
			return false
		}
	}
	return true
}

// sealModified makes the groups ready for use.
func (v *viewIndex) sealModified() {
	for _, bucket := range v.modified {
		for _, g := range bucket {
			g.x = NewExtractor(g.paths)
		}
	}
}

// readModified reads the property that entry i changed, if paths name it.
func (f *Fields) readModified(t *tape, i uint32, name string) {
	index := &f.x.views[modifiedView]
	for _, g := range index.modified[min(len(name), len(index.modified)-1)] {
		if !foldEqual(g.name, name) {
			continue
		}
		old := f.readSide(0, t, t.anyMember(i, "oldValue", "Old"), g)
		now := f.readSide(1, t, t.anyMember(i, "newValue", "New"), g)
		for _, a := range g.asks {
			s := sink{dst: f.slots[a.slot]}
			switch a.side {
			case oldSide:
				s.dst = append(s.dst, old.slots[a.path]...)
			case newSide:
				s.dst = append(s.dst, now.slots[a.path]...)
			case addedSide:
				s.addLacking(now.slots[a.path], old.slots[a.path])
			case removedSide:
				s.addLacking(old.slots[a.path], now.slots[a.path])
			}
			f.set(a.slot, s.dst)
		}
	}
}

// readSide reads what paths of a group find in value i, nothing if that is 0.
func (f *Fields) readSide(k int, t *tape, i uint32, g *modifiedGroup) *Fields {
	if f.sides[k] == nil {
		f.sides[k] = &Fields{decoding: true}
	}
	in := f.sides[k]
	in.reset(g.x)
	if i != 0 {
		in.visit(t, i, g.x.root, false)
	}
	return in
}

// visitText reads the paths at and below l from string i, as what it holds.
func (f *Fields) visitText(t *tape, i uint32, l *level, inside bool) {
	if child := t.nested(i); child != nil {
		f.visit(child, 0, l, inside)
		return
	}
	if inside {
		return
	}
	v := decodeWord(t.value(i), true)
	for _, slot := range l.slots {
		f.set(slot, append(f.slots[slot], v))
	}
}
