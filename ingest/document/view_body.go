package document

// Where bodies of Azure requests and responses stand; the first one that is
// JSON counts.
var bodyPlaces = places(
	"properties.requestbody",
	"properties.responseBody",
)

// body walks p in the request's body or, when the record has none that can be
// read, in the response's. A request holds only what was sent: its lack of a
// property is not answered from the response.
func (d *Document) body(t *tape, i uint32, p *Path, s *sink) {
	if bt, b := d.bodyOf(t, i); bt != nil {
		bt.walk(b, p.segs, s)
	}
}

// bodyOf returns the body in record i. That of the document is looked for once:
// rules ask for much in it.
func (d *Document) bodyOf(t *tape, i uint32) (*tape, uint32) {
	if t != &d.main || i != 0 {
		return d.findBody(t, i)
	}
	if !d.bodyKnown {
		d.bodyKnown = true
		d.bodyTape, d.bodyNode = d.findBody(t, i)
	}
	return d.bodyTape, d.bodyNode
}

func (d *Document) findBody(t *tape, i uint32) (*tape, uint32) {
	for _, segs := range bodyPlaces {
		if bt, b := t.json(i, d.relative(segs)); bt != nil {
			return bt, b
		}
	}
	return nil, 0
}

// json returns the first object or array at segs, in a string or not.
func (t *tape) json(i uint32, segs []segment) (*tape, uint32) {
	n := &t.nodes[i]
	switch {
	case n.kind == String:
		if child := t.nested(i); child != nil {
			return child.json(0, segs)
		}
	case len(segs) == 0:
		if n.kind == Object || n.kind == Array {
			return t, i
		}
	case n.kind == Object:
		for c := i + 1; c < n.next; c = t.nodes[c].next {
			if !t.keyIs(&t.nodes[c], segs[0].name) {
				continue
			}
			if found, at := t.json(c, segs[1:]); found != nil {
				return found, at
			}
		}
	}
	return nil, 0
}
