package detectors

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
)

// A setting with several parameters is restored when every one that was
// weakened is strong again, not when any of them is. A rule says so with
//
//	safeguard:
//	  sides:
//	    NAME: {weak: SELECTION, strong: SELECTION}
//	    NAME: {lost: FIELD, back: FIELD}
//
// where a selection is a Sigma search identifier: a map, or a list of maps. In
// the second form every value is a side: those at lost are weak, those at back
// strong. With by_part: true a value is "PART: SIDE", a side of only the subjects
// that have the part: an event may be about several. A restore in which no side
// is strong restores the safeguard as a whole, with all of its sides.
//
// The side named '' is the safeguard as a whole, apart from the sides that events
// name: what a weakening weakens that names none. A rule lists it to say what
// makes up for such a weakening and leaves the named sides as they are:
//
//	'': {strong: SELECTION}

// side is one side of a safeguard.
type side struct {
	name         string
	weak, strong *sigma.Matcher // nil: never
	lost, back   int            // slots; -1: none
	byPart       bool           // values are "PART: SIDE"
}

type sides []side

type sideYAML struct {
	Weak   yaml.Node `yaml:"weak"`
	Strong yaml.Node `yaml:"strong"`
	Lost   string    `yaml:"lost"`
	Back   string    `yaml:"back"`
	ByPart bool      `yaml:"by_part"`
}

// sides reads safeguard.sides, in the order of the file.
func (b *builder) sides(sr *sigma.Rule, n *yaml.Node) (sides, error) {
	if n.IsZero() {
		return nil, nil
	}
	if n.Kind != yaml.MappingNode {
		return nil, at(sr.File, n, "safeguard.sides: write NAME: {weak: SELECTION, strong: SELECTION}")
	}
	var out sides
	for i := 0; i+1 < len(n.Content); i += 2 {
		var y sideYAML
		if err := n.Content[i+1].Load(&y, yaml.WithKnownFields(true)); err != nil {
			return nil, at(sr.File, n.Content[i+1], "safeguard.sides: %v", err)
		}
		s := side{name: n.Content[i].Value, lost: b.sideSlot(y.Lost), back: b.sideSlot(y.Back), byPart: y.ByPart}
		if s.byPart && s.lost < 0 && s.back < 0 {
			return nil, at(sr.File, n.Content[i+1], "safeguard.sides: by_part is of the values of fields: write {lost: FIELD, back: FIELD, by_part: true}")
		}
		var err error
		if s.weak, err = b.selection(sr, &y.Weak); err != nil {
			return nil, err
		}
		if s.strong, err = b.selection(sr, &y.Strong); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// selection compiles a search identifier that stands alone; nil for none.
func (b *builder) selection(sr *sigma.Rule, n *yaml.Node) (*sigma.Matcher, error) {
	if n.IsZero() {
		return nil, nil
	}
	text := func(s string) *yaml.Node {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Line: n.Line, Column: n.Column}
	}
	return b.detection(sr, &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Column: n.Column,
		Content: []*yaml.Node{text("selection"), n, text("condition"), text("selection")}})
}

// sideSlot returns the slot of a field, or -1 for none.
func (b *builder) sideSlot(field string) int {
	if field == "" {
		return -1
	}
	return b.options.Fields.Slot(field)
}

// of returns the sides of a subject that an event shows weak and strong. What
// restores does not weaken.
func (s sides) of(sc *scope, state State, subject string) (weak, strong []string) {
	for i := range s {
		if state == Weakened {
			weak = s[i].each(sc, s[i].lost, subject, weak)
		}
		strong = s[i].each(sc, s[i].back, subject, strong)
		switch {
		case state == Weakened && s[i].weak != nil && s[i].weak.Match(sc):
			weak = append(weak, s[i].name)
		case s[i].strong != nil && s[i].strong.Match(sc):
			strong = append(strong, s[i].name)
		}
	}
	return slices.Clip(weak), slices.Clip(strong)
}

// maxSides bounds how many values of a field are sides. Those beyond that were lost
// are one more, that nothing brings back but all of that NAME, or the safeguard as a whole.
const maxSides = 1024

// further names the side that stands for those beyond: a value has no capitals.
const further = "Further ones"

// maxSide bounds, in bytes, the value that names a side: a longer one, such as the rule
// of a filter, is told by a digest behind its NAME, which Covers looks for.
const maxSide = 240

// Covers reports whether one side that is strong makes up for another that is weak:
// if they are the same, or the strong one is "NAME: *", for all of that name: what
// includes everybody again does not say whom.
func Covers(strong, weak string) bool {
	name, all := strings.CutSuffix(strong, "*")
	return strong == weak || all && strings.HasSuffix(name, ": ") && strings.HasPrefix(weak, name)
}

// each appends a side for every value of a field that is one of the subject.
func (s *side) each(sc *scope, slot int, subject string, out []string) []string {
	if slot < 0 {
		return out
	}
	for _, v := range sc.Values(slot) {
		text, ours := v.Text, true
		if s.byPart {
			text, ours = sideOf(subject, v.Text)
		}
		if !ours || text == "" || v.Kind == sigma.Array || v.Kind == sigma.Object {
			continue
		}
		if len(out) >= maxSides {
			if slot == s.lost {
				out = append(out, s.name+": "+further)
			}
			return out
		}
		if text = fields.Lower(text); len(text) > maxSide {
			text = "sha256:" + digest([]byte(text))
		}
		out = append(out, s.name+": "+text)
	}
	return out
}

// sideOf returns SIDE of "PART: SIDE", and whether a subject has that part.
func sideOf(subject, text string) (string, bool) {
	part, text, found := strings.Cut(text, ": ")
	for p := range strings.SplitSeq(subject, joiner) {
		if found && strings.EqualFold(p, part) {
			return text, true
		}
	}
	return "", false
}
