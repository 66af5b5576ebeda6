package detectors

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
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

// told is the state of a match that tells values to be remembered.
const told State = "told"

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
	d, err := sigma.ParseDetection(sr.File, &y.Seen)
	if err != nil {
		return err
	}
	h := half{rule: r, state: told, kinds: weakened.kinds, outcome: ingest.Success, subject: r.subject, joined: readsRequest(d)}
	if h.match, _, err = b.named(sr, d, h.kinds); err != nil {
		return err
	}
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
	r.halves = append(r.halves, h)
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

// number returns the number that a value is, or its place in the order.
func (v *remembered) number(texts []string) (int, bool) {
	text := strings.ToLower(strings.TrimSpace(strings.Join(texts, "")))
	if v.order != nil {
		n, ok := v.order[text]
		return n, ok
	}
	if v.forever != "" && text == v.forever {
		return fields.Days("unlimited")
	}
	return fields.Days(text)
}

// compare returns the sides that the value now shows weak and strong, after
// those before, the newest of them first.
func (v *remembered) compare(now []string, before [][]string) (weak, strong []string) {
	oldest := before[len(before)-1]
	switch v.weak {
	case "lowered":
		return v.lowered(now, before)
	case "changed":
		return v.changed(members(now), members(oldest))
	}
	all := map[string]bool{}
	for _, texts := range before {
		maps.Copy(all, members(texts))
	}
	set := members(now)
	if v.weak == "grew" {
		return v.sides(without(set, members(oldest))), v.sides(without(all, set))
	}
	for m := range v.whole {
		if set[m] {
			maps.Copy(set, all)
		}
	}
	return v.sides(without(all, set)), v.sides(slices.Sorted(maps.Keys(set)))
}

func (v *remembered) changed(now, was map[string]bool) (weak, strong []string) {
	if len(was) > 0 && len(without(was, now))+len(v.sides(without(now, was))) > 0 && (len(now) == 0 || len(v.sides(slices.Sorted(maps.Keys(now)))) > 0) {
		return []string{v.name}, nil
	}
	return nil, []string{v.name}
}

func (v *remembered) lowered(now []string, before [][]string) (weak, strong []string) {
	n, ok := v.number(now)
	if !ok {
		return nil, nil
	}
	for _, texts := range before {
		if was, ok := v.number(texts); ok && n < was {
			return []string{v.name}, nil
		}
	}
	return nil, []string{v.name}
}

// sides names the members of a set that count.
func (v *remembered) sides(names []string) []string {
	var out []string
	for _, name := range names {
		if (v.only == nil || v.only[name]) && !v.spares(name) {
			out = append(out, v.name+": "+name)
		}
	}
	return out
}

// spares reports whether a member is on the operator list: as it stands, or as
// the host of an address or of a key vault there.
func (v *remembered) spares(name string) bool {
	return slices.ContainsFunc(v.spare, func(s string) bool {
		return strings.EqualFold(s, name) || strings.EqualFold(fields.Host(s), name) || fields.SameVault(s, name)
	})
}

func without(a, b map[string]bool) []string {
	var out []string
	for m := range a {
		if !b[m] {
			out = append(out, m)
		}
	}
	slices.Sort(out)
	return out
}
