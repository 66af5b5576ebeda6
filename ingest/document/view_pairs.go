package document

// places returns where a kind of list may stand, as compiled plain paths.
func places(paths ...string) [][]segment {
	out := make([][]segment, len(paths))
	for k, p := range paths {
		out[k] = MustCompile(p).segs
	}
	return out
}

// A pairFunc is given each object of a list.
type pairFunc func(d *Document, t *tape, i uint32, p *Path, s *sink)

// each calls f with every object that stands at one of the places below
// value i, through arrays and strings that hold JSON.
func (d *Document) each(t *tape, i uint32, at [][]segment, f pairFunc, p *Path, s *sink) {
	for _, segs := range at {
		d.eachAt(t, i, segs, f, p, s)
	}
}

func (d *Document) eachAt(t *tape, i uint32, segs []segment, f pairFunc, p *Path, s *sink) {
	if s.full() {
		return
	}
	n := &t.nodes[i]
	switch n.kind {
	case Array:
		for c := i + 1; c < n.next; c = t.nodes[c].next {
			d.eachAt(t, c, segs, f, p, s)
		}
	case String:
		if child := t.nested(i); child != nil {
			d.eachAt(child, 0, segs, f, p, s)
		} else if len(segs) == 0 {
			f(d, t, i, p, s)
		}
	case Object:
		if len(segs) == 0 {
			f(d, t, i, p, s)
			return
		}
		for c := i + 1; c < n.next; c = t.nodes[c].next {
			if t.keyIs(&t.nodes[c], segs[0].name) {
				d.eachAt(t, c, segs[1:], f, p, s)
			}
		}
	}
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

// named reports whether the text of value i is the view's name.
func (p *Path) named(t *tape, i uint32) bool {
	if p.name.star {
		return true
	}
	return i != 0 && t.nodes[i].kind == String && foldEqual(trim(t.text(i)), trim(p.name.name))
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
