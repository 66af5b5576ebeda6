package detectors

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
)

// A record that tells only the new value does not show that a list shrank or a
// period was cut: that takes the value from before. A rule has values
// remembered with
//
//	safeguard:
//	  memory:
//	    seen: DETECTION        # the events that tell a value
//	    values:
//	      NAME: {field: FIELD, weak: shrank}
//
// where weak is shrank or grew (of a set: what was there is gone, what was not
// is there), changed (of a text; for one that must come back see replaced) or
// lowered (of a number; with order: [lowest, …], of a word on that list; with
// forever: 0, that number stands for the highest). only: [VALUE] leaves other
// members of a set alone, spare: LIST those on an operator list, where hosts may
// stand as addresses and those of key vaults as ids or names; absent: true
// takes a record without the field as an empty set; whole: [VALUE] is a member that
// stands for all there are, so a set with it has lost nothing.
//
// A value is held against those of the three days before it and the newest from
// before these: a set that shrank against all of them, a number against the
// highest, a set that grew and a text against the oldest. So what people have
// come to accept is not told for ever; it restores nothing, either (memory_lost.go).
// When an older value turns up late, what came after it is judged anew, and the
// newer judgement counts. Each member of a set is a side of the safeguard, as is
// each number and text.

// maxHistory bounds the events that one is held against: some automation writes
// the same setting all day.
const maxHistory = 128

// NoSide stands among the sides of a [Finding] for no side, where none would mean
// all of them.
const NoSide = "none"

// tellsValues is the state of a match that is no finding but tells values, which
// compareMemory holds against those of before.
const tellsValues State = "told"

type memory struct{ values []remembered }

type remembered struct {
	name    string
	field   int // slot
	weak    string
	only    map[string]bool
	whole   map[string]bool
	spare   []string // see spares
	order   map[string]int
	forever string
	absent  bool

	unconfirmed *Severity // of what may not be the accepted value; nil: it is nothing
}

type memoryYAML struct {
	Seen   yaml.Node `yaml:"seen"`
	Values yaml.Node `yaml:"values"`
}

type rememberedYAML struct {
	Field   string   `yaml:"field"`
	Weak    string   `yaml:"weak"`
	Only    []string `yaml:"only"`
	Whole   []string `yaml:"whole"`
	Spare   string   `yaml:"spare"`
	Order   []string `yaml:"order"`
	Forever string   `yaml:"forever"`
	Absent  bool     `yaml:"absent"`

	Unconfirmed string `yaml:"unconfirmed"`
}

// memory reads safeguard.memory.
func (b *builder) memory(r *Rule, sr *sigma.Rule, n *yaml.Node, weakened half) error {
	if n.IsZero() {
		return nil
	}
	var y memoryYAML
	if err := n.Load(&y, yaml.WithKnownFields(true)); err != nil {
		return at(sr.File, n, "safeguard.memory: %v", err)
	}
	if err := b.tells(r, sr, half{state: tellsValues, subject: r.subject, kinds: weakened.kinds}, &y.Seen); err != nil {
		return err
	}
	h := &r.halves[len(r.halves)-1]
	r.memory = new(memory)
	for i := 0; i+1 < len(y.Values.Content); i += 2 {
		v, err := b.remembered(sr, y.Values.Content[i].Value, y.Values.Content[i+1])
		if err != nil {
			return err
		}
		h.joined = h.joined || strings.Contains(b.options.Fields.Names()[v.field], "body.")
		r.memory.values = append(r.memory.values, v)
	}
	if len(r.memory.values) == 0 {
		return at(sr.File, n, "safeguard.memory: name values to remember")
	}
	return nil
}

func (b *builder) remembered(sr *sigma.Rule, name string, n *yaml.Node) (remembered, error) {
	var y rememberedYAML
	if err := n.Load(&y, yaml.WithKnownFields(true)); err != nil {
		return remembered{}, at(sr.File, n, "safeguard.memory: %v", err)
	}
	if y.Field == "" || !slices.Contains([]string{"shrank", "grew", "changed", replaced, "lowered"}, y.Weak) {
		return remembered{}, at(sr.File, n, "safeguard.memory: %s: write {field: FIELD, weak: shrank, grew, changed, replaced or lowered}", name)
	}
	v := remembered{name: name, field: b.options.Fields.Slot(y.Field), weak: y.Weak, forever: y.Forever, absent: y.Absent, spare: b.options.Placeholders[y.Spare]}
	var err error
	if v.unconfirmed, err = confirming(y.Unconfirmed); err != nil {
		return remembered{}, at(sr.File, n, "safeguard.memory: %s: unconfirmed: %v", name, err)
	}
	if len(y.Only) > 0 {
		v.only = members(y.Only)
	}
	if len(y.Whole) > 0 {
		v.whole = members(y.Whole)
	}
	if len(y.Order) > 0 {
		v.order = fields.Ranks(y.Order)
	}
	return v, nil
}

// told returns the values that the event tells, by name; a name that is not in
// it is one of which the event says nothing.
func (m *memory) told(s *scope) map[string][]string {
	out := map[string][]string{}
	for i := range m.values {
		v := &m.values[i]
		texts, any := []string{}, v.absent
		for _, value := range s.Values(v.field) {
			any = true
			if value.Kind != sigma.Null && value.Kind != sigma.Array && value.Kind != sigma.Object {
				texts = append(texts, strings.Clone(value.Text))
			}
		}
		if any {
			out[v.name] = texts
		}
	}
	return out
}

// members is a set of texts, case-folded; a text may be a list.
func members(texts []string) map[string]bool {
	out := map[string]bool{}
	for _, text := range texts {
		for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' }) {
			if part = strings.ToLower(strings.TrimSpace(part)); part != "" {
				out[part] = true
			}
		}
	}
	return out
}
