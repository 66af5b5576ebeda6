package document

import "strings"

// A sink collects what a walk finds.
type sink struct {
	dst    []Value
	first  bool // one value is enough
	scalar bool // only strings, numbers and booleans count
	decode bool // JSON in a string is decoded at the end of the path, too
}

// full reports whether the walk may stop.
func (s *sink) full() bool { return s.first && len(s.dst) > 0 }

func (s *sink) add(v Value) {
	if !s.full() && (!s.scalar || v.Scalar()) {
		s.dst = append(s.dst, v)
	}
}

// walk adds the values at segs below value i.
func (t *tape) walk(i uint32, segs []segment, s *sink) {
	n := &t.nodes[i]
	switch n.kind {
	case Array:
		if n.next == i+1 && len(segs) == 0 {
			s.add(t.value(i))
		}
		for c := i + 1; c < n.next && !s.full(); c = t.nodes[c].next {
			t.walk(c, segs, s)
		}
	case Object:
		if len(segs) == 0 {
			t.endObject(i, s)
			return
		}
		t.members(i, segs, s)
	case String:
		if len(segs) > 0 || s.decode {
			if child := t.nested(i); child != nil {
				child.walk(0, segs, s)
				return
			}
		}
		if len(segs) == 0 {
			s.add(decodeWord(t.value(i), s.decode))
		}
	default:
		if len(segs) == 0 {
			s.add(t.value(i))
		}
	}
}

// members follows segs into the members of object i.
func (t *tape) members(i uint32, segs []segment, s *sink) {
	seg := &segs[0]
	end := t.nodes[i].next
	for c := i + 1; c < end && !s.full(); {
		n := &t.nodes[c]
		if seg.star || t.keyIs(n, seg.name) {
			if len(seg.filters) > 0 {
				t.walkFiltered(c, seg.filters, segs[1:], s)
			} else {
				t.walk(c, segs[1:], s)
			}
		}
		c = n.next
	}
}

// walkFiltered walks on only from objects that pass the filters.
func (t *tape) walkFiltered(i uint32, filters []filter, segs []segment, s *sink) {
	n := &t.nodes[i]
	switch n.kind {
	case Array:
		for c := i + 1; c < n.next && !s.full(); c = t.nodes[c].next {
			t.walkFiltered(c, filters, segs, s)
		}
	case Object:
		for k := range filters {
			if !t.passes(i, &filters[k]) {
				return
			}
		}
		t.walk(i, segs, s)
	case String:
		if child := t.nested(i); child != nil {
			child.walkFiltered(0, filters, segs, s)
		}
	}
}

// passes reports whether a member f.key of object i, or an element of it, has
// the text f.value.
func (t *tape) passes(i uint32, f *filter) bool {
	for c := i + 1; c < t.nodes[i].next; c = t.nodes[c].next {
		if t.keyIs(&t.nodes[c], f.key) && t.holds(c, f.value) {
			return true
		}
	}
	return false
}

func (t *tape) holds(i uint32, text string) bool {
	n := &t.nodes[i]
	switch n.kind {
	case Array:
		for c := i + 1; c < n.next; c = t.nodes[c].next {
			if t.holds(c, text) {
				return true
			}
		}
		return false
	case Object, Null:
		return false
	}
	return foldEqual(t.text(i), text)
}

// endObject adds object i, or what it stands for: the Activity REST form
// writes {"value": …, "localizedValue": …} where the hub writes a string.
func (t *tape) endObject(i uint32, s *sink) {
	if a := i + 1; a < t.nodes[i].next {
		if b := t.nodes[a].next; b < t.nodes[i].next && t.nodes[b].next == t.nodes[i].next {
			switch {
			case t.keyIs(&t.nodes[a], "value") && t.keyIs(&t.nodes[b], "localizedValue"):
				t.walk(a, nil, s)
				return
			case t.keyIs(&t.nodes[b], "value") && t.keyIs(&t.nodes[a], "localizedValue"):
				t.walk(b, nil, s)
				return
			}
		}
	}
	s.add(t.value(i))
}

// decodeWord turns a string true, false or null into what it says.
func decodeWord(v Value, decode bool) Value {
	if !decode {
		return v
	}
	switch strings.TrimSpace(v.Text) {
	case "true":
		return Value{True, "true"}
	case "false":
		return Value{False, "false"}
	case "null":
		return Value{Null, ""}
	}
	return v
}
