package document

// Values appends every value at p to dst and returns it: any element of
// arrays, every member of the name. A path that ends in an array yields its
// elements (an empty array: one Array value), one that ends in an object that
// object.
func (d *Document) Values(p *Path, dst []Value) []Value {
	s := sink{dst: dst}
	d.find(p, &s)
	return s.dst
}

// First returns the first of the values at p, Missing if there is none.
func (d *Document) First(p *Path) Value {
	return d.one(p, sink{first: true})
}

// Text returns the text of the first string, number or boolean at p, or "".
func (d *Document) Text(p *Path) string {
	return d.one(p, sink{first: true, scalar: true}).Text
}

// Member returns the first member of the record's root that has the name,
// whatever the layout. An object or array comes without its text.
func (d *Document) Member(name string) Value {
	if len(d.main.nodes) == 0 {
		return Value{}
	}
	i := d.main.member(0, name)
	switch {
	case i == 0:
		return Value{}
	case d.main.nodes[i].kind > String:
		return Value{Kind: d.main.nodes[i].kind}
	}
	return d.main.value(i)
}

func (d *Document) one(p *Path, s sink) (v Value) {
	s.dst = d.scratch[0][:0]
	d.find(p, &s)
	if len(s.dst) > 0 {
		v = s.dst[0]
	}
	d.scratch[0] = s.dst[:0]
	return v
}

// find runs p from the layout's root and, for CloudApp, from the record's own
// when that found nothing.
func (d *Document) find(p *Path, s *sink) {
	if len(d.main.nodes) == 0 {
		return
	}
	before := len(s.dst)
	if d.layout == CloudApp {
		if t, i := d.rawEvent(); t != nil {
			d.findAt(t, i, p, s)
			if len(s.dst) > before {
				return
			}
		}
	}
	d.findAt(&d.main, 0, p, s)
}

// viewPlaces says where the lists of a view stand.
var viewPlaces = [...][][]segment{modifiedView: modifiedPlaces, paramView: paramPlaces, detailView: detailPlaces, bodyView: bodyPlaces}

func (d *Document) findAt(t *tape, i uint32, p *Path, s *sink) {
	switch p.view {
	case plain:
		t.walk(i, d.relative(p.segs), s)
	case bodyView:
		d.body(t, i, p, s)
	default:
		d.each(t, i, viewPlaces[p.view], p, s)
	}
}

// lacksProperties reports whether paths skip a leading "properties".
func (d *Document) lacksProperties() bool {
	return d.layout == Graph && d.main.nodes[0].kind == Object && d.main.member(0, "properties") == 0
}

// relative drops a leading "properties" that a Graph record does not have.
func (d *Document) relative(segs []segment) []segment {
	if len(segs) > 1 && !segs[0].star && len(segs[0].filters) == 0 && foldEqual(segs[0].name, "properties") && d.lacksProperties() {
		return segs[1:]
	}
	return segs
}

// member returns the first member of object i with the name, 0 if there is
// none (no member is node 0).
func (t *tape) member(i uint32, name string) uint32 {
	if t.nodes[i].kind != Object {
		return 0
	}
	for c := i + 1; c < t.nodes[i].next; c = t.nodes[c].next {
		if t.keyIs(&t.nodes[c], name) {
			return c
		}
	}
	return 0
}

// rawEvent returns the native record inside a CloudAppEvents record, or nil.
func (d *Document) rawEvent() (*tape, uint32) {
	if !d.innerKnown {
		d.innerKnown = true
		d.inner, d.innerNode = d.findRawEvent()
	}
	return d.inner, d.innerNode
}

func (d *Document) findRawEvent() (*tape, uint32) {
	t, i := d.main.object(d.main.member(0, "properties"))
	if t == nil {
		return d.main.object(d.main.member(0, "RawEventData"))
	}
	if raw := t.member(i, "RawEventData"); raw != 0 {
		return t.object(raw)
	}
	return t, i
}

// object returns the object that value i is or, as a string, holds.
func (t *tape) object(i uint32) (*tape, uint32) {
	if i == 0 {
		return nil, 0
	}
	for range 2 { // a string in a string, and no more
		if t.nodes[i].kind != String {
			break
		}
		if t = t.nested(i); t == nil {
			return nil, 0
		}
		i = 0
	}
	if t.nodes[i].kind != Object {
		return nil, 0
	}
	return t, i
}
