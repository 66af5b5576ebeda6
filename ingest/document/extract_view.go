package document

// note keeps the entries of a view's list for when the walk is done.
func (f *Fields) note(t *tape, i uint32, h hook) {
	n := &t.nodes[i]
	if h.view == bodyView {
		f.found[h.view] = append(f.found[h.view], viewEntry{h.place, t, i})
		return
	}
	switch n.kind {
	case Array:
		for c := i + 1; c < n.next; c = t.nodes[c].next {
			f.note(t, c, h)
		}
	case String:
		if child := t.nested(i); child != nil {
			f.note(child, 0, h)
			return
		}
		fallthrough
	case Object:
		f.found[h.view] = append(f.found[h.view], viewEntry{h.place, t, i})
	}
}

// readViews reads the views of the record, if it has any.
func (f *Fields) readViews(t *tape, i uint32) {
	for v := modifiedView; v < bodyView; v++ {
		if len(f.found[v]) == 0 {
			continue
		}
		for place := range viewPlaces[v] { // the order that Values keeps
			for _, e := range f.found[v] {
				if e.place == place {
					f.readEntry(e.tape, e.node, v)
				}
			}
		}
	}
	if len(f.x.bodies) > 0 && (len(f.found[bodyView]) > 0 || f.d.layout == Graph) {
		for _, slot := range f.x.bodies {
			s := sink{dst: f.slots[slot]}
			f.d.body(t, i, f.x.paths[slot], &s)
			f.set(slot, s.dst)
		}
	}
}

// readEntry reads one entry of a list with the paths that select it.
func (f *Fields) readEntry(t *tape, i uint32, v view) {
	index := &f.x.views[v]
	if t.nodes[i].kind == String {
		f.readLine(t, i, v)
		return
	}
	f.readAll(t, i, index.stars)
	name := t.nameOf(i, v)
	if name == 0 || t.nodes[name].kind != String {
		return
	}
	text := trim(t.text(name))
	if v == modifiedView {
		f.readModified(t, i, text)
		return
	}
	if foldEqual(text, "CmdletOptions") {
		for k := range index.names {
			for _, e := range index.names[k] {
				f.read(t, i, e.slot)
			}
		}
		return
	}
	for _, e := range index.bucket(text) {
		if foldEqual(e.name, text) {
			f.read(t, i, e.slot)
		}
	}
}

func (f *Fields) readAll(t *tape, i uint32, slots []int) {
	for _, slot := range slots {
		f.read(t, i, slot)
	}
}

func (f *Fields) read(t *tape, i uint32, slot int) {
	s := sink{dst: f.slots[slot]}
	f.d.entry(t, i, f.x.paths[slot], &s)
	f.set(slot, s.dst)
}

// readLine reads a command line in place of a list.
func (f *Fields) readLine(t *tape, i uint32, v view) {
	if v == modifiedView {
		return
	}
	index := &f.x.views[v]
	for _, a := range f.d.line(t, i).args {
		for _, slot := range index.stars {
			f.argument(a.value, slot)
		}
		for _, e := range index.bucket(a.name) {
			if foldEqual(e.name, a.name) {
				f.argument(a.value, e.slot)
			}
		}
	}
}

func (f *Fields) argument(v Value, slot int) {
	s := sink{dst: f.slots[slot]}
	f.d.addArgument(v, f.x.paths[slot].segs, &s)
	f.set(slot, s.dst)
}
