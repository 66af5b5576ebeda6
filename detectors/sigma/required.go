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
// for itself. It is empty when no field alone is required, as with not, or with
// an or of different fields.
func (m *Matcher) Required() []Requirement {
	list, _ := m.root.requires()
	var out []Requirement
	for _, c := range list {
		if len(c) == 1 {
			out = append(out, c[0])
		}
	}
	return out
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
		if n.kind == Substring && !utf8.ValidString(n.text) {
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
