package sigma

import (
	"slices"
	"unicode/utf8"
)

// KeywordSlot is the slot of a [Requirement] on the strings of the event that
// keywords look at.
const KeywordSlot = -1

// RequirementKind tells how strong a requirement is.
type RequirementKind byte

// The kinds of requirements, weakest first.
const (
	Present   RequirementKind = iota // some value is not missing
	Substring                        // some folded value contains one of the texts
	Exact                            // some folded value is one of the texts
)

// Requirement is a condition without which a detection cannot hold: some value
// of the field passes. It may pass and the detection not hold. Values are as
// [Value.AppendKeys] makes them. A host can index detections by it.
type Requirement struct {
	Slot   int
	Kind   RequirementKind
	Values []string

	numbers bool // Values has spellings of numbers, which are not contained in others
}

// AppendKeys appends the folded text of a value to dst and returns where it
// ends; a number that has a simpler spelling (1.0, 1e3) is appended in that too.
// An [Exact] requirement passes when it has either of the two.
func (v Value) AppendKeys(dst []byte) (keys []byte, end int) {
	if !v.hasText() {
		return dst, len(dst)
	}
	dst = appendFold(dst, v.Text)
	end = len(dst)
	if v.Kind == Number && !plainInt(v.Text) {
		dst = appendCanonical(dst, v.Text)
	}
	return dst, end
}

// Required returns what the detection requires of an event, each requirement
// for itself. It is empty when the detection may hold for an event that has none
// of its fields, as with not.
func (m *Matcher) Required() []Requirement {
	reqs, _ := m.root.requires()
	return reqs
}

// Never reports that the detection can hold for no event, for example because a
// placeholder that it needs has no values.
func (m *Matcher) Never() bool {
	_, never := m.root.requires()
	return never
}

// need is what one tester requires of a value.
type need struct {
	kind   RequirementKind
	text   string // folded
	number bool
}

// requirement joins the needs of an or.
func requirement(slot int, needs []need) Requirement {
	r := Requirement{Slot: slot, Kind: Exact}
	for _, n := range needs {
		r.numbers = r.numbers || n.number
		if n.kind == Substring && (n.text == "" || !utf8.ValidString(n.text)) {
			n.kind = Present
		}
		r.Kind = min(r.Kind, n.kind)
		r.Values = append(r.Values, n.text)
	}
	return r.normal()
}

// normal sorts the values and weakens a requirement that cannot be kept.
func (r Requirement) normal() Requirement {
	slices.Sort(r.Values)
	r.Values = slices.Compact(r.Values)
	if r.Kind == Substring && (r.numbers || slices.Contains(r.Values, "")) {
		r.Kind = Present
	}
	if r.Kind == Present {
		r.Values = nil
	}
	return r
}

func (n *andNode) requires() ([]Requirement, bool) {
	var out []Requirement
	for _, p := range n.parts {
		reqs, never := p.requires()
		if never {
			return nil, true
		}
		out = append(out, reqs...)
	}
	return out, false
}

func (n *orNode) requires() ([]Requirement, bool) {
	var out []Requirement
	first := true
	for _, p := range n.parts {
		reqs, never := p.requires()
		if never {
			continue
		}
		if first {
			out, first = reqs, false
			continue
		}
		out = either(out, reqs)
	}
	return out, first
}

// either returns what is required when one of two lists is.
func either(a, b []Requirement) []Requirement {
	var out []Requirement
	for _, x := range a {
		best := -1
		for i, y := range b {
			if y.Slot == x.Slot && (best < 0 || stronger(x.or(y), x.or(b[best]))) {
				best = i
			}
		}
		if best >= 0 {
			out = append(out, x.or(b[best]))
		}
	}
	return out
}

func (r Requirement) or(other Requirement) Requirement {
	return Requirement{
		Slot:    r.Slot,
		Kind:    min(r.Kind, other.Kind),
		Values:  append(slices.Clone(r.Values), other.Values...),
		numbers: r.numbers || other.numbers,
	}.normal()
}

func stronger(a, b Requirement) bool {
	if a.Kind != b.Kind {
		return a.Kind > b.Kind
	}
	return len(a.Values) < len(b.Values)
}

func (n *notNode) requires() ([]Requirement, bool) { return nil, false }

func (n *fieldNode) requires() ([]Requirement, bool) { return n.reqs, n.never }

func (n *keywordNode) requires() ([]Requirement, bool) {
	var out []Requirement
	for _, r := range n.reqs {
		if r.Kind == Exact { // a keyword with another place than contains
			r.Kind = Substring
			r = r.normal()
		}
		if r.Kind == Substring {
			out = append(out, r)
		}
	}
	return out, n.never
}

func (n *nullNode) requires() ([]Requirement, bool) { return nil, false }

func (n *existsNode) requires() ([]Requirement, bool) {
	if !n.want {
		return nil, false
	}
	return []Requirement{{Slot: n.slot, Kind: Present}}, false
}

func (n *refNode) requires() ([]Requirement, bool) {
	return []Requirement{{Slot: n.slot, Kind: Present}, {Slot: n.other, Kind: Present}}, false
}
