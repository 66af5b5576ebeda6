package document

// places returns where a kind of list may stand, as compiled plain paths.
func places(paths ...string) [][]segment {
	out := make([][]segment, len(paths))
	for k, p := range paths {
		out[k] = MustCompile(p).segs
	}
	return out
}

// each reads with p every object that stands at one of the places below
// value i, through arrays and strings that hold JSON; and every other string,
// which may be a command line.
func (d *Document) each(t *tape, i uint32, at [][]segment, p *Path, s *sink) {
	for _, segs := range at {
		d.eachAt(t, i, segs, p, s)
	}
}

func (d *Document) eachAt(t *tape, i uint32, segs []segment, p *Path, s *sink) {
	if s.full() {
		return
	}
	n := &t.nodes[i]
	switch n.kind {
	case Array:
		for c := i + 1; c < n.next; c = t.nodes[c].next {
			d.eachAt(t, c, segs, p, s)
		}
	case String:
		if child := t.nested(i); child != nil {
			d.eachAt(child, 0, segs, p, s)
		} else if len(segs) == 0 {
			d.entry(t, i, p, s)
		}
	case Object:
		if len(segs) == 0 {
			d.entry(t, i, p, s)
			return
		}
		for c := i + 1; c < n.next; c = t.nodes[c].next {
			if t.keyIs(&t.nodes[c], segs[0].name) {
				d.eachAt(t, c, segs[1:], p, s)
			}
		}
	}
}

// entry reads one entry of a list with p.
func (d *Document) entry(t *tape, i uint32, p *Path, s *sink) {
	if p.view == modifiedView {
		d.modifiedEntry(t, i, p, s)
	} else {
		d.pair(t, i, p, s)
	}
}

// nameOf returns the member that names an entry, 0 if it has none.
func (t *tape) nameOf(i uint32, v view) uint32 {
	if v == modifiedView {
		return t.anyMember(i, "displayName", "Name")
	}
	return t.anyMember(i, "Name", "key")
}

// anyMember returns the first member with one of the names.
func (t *tape) anyMember(i uint32, names ...string) uint32 {
	for _, name := range names {
		if c := t.member(i, name); c != 0 {
			return c
		}
	}
	return 0
}

// named reports whether value i is the name that the view selects.
func (p *Path) named(t *tape, i uint32) bool {
	return p.name.star || i != 0 && t.says(i, trim(p.name.name))
}

// says reports whether value i is a string with the text, case and white space
// around it aside.
func (t *tape) says(i uint32, text string) bool {
	return t.nodes[i].kind == String && foldEqual(trim(t.text(i)), text)
}

func trim(s string) string {
	for len(s) > 0 && s[0] <= ' ' {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] <= ' ' {
		s = s[:len(s)-1]
	}
	return s
}
