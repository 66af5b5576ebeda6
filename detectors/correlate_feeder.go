package detectors

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/fields"
)

// feeder tells what a match of one rule is to one correlation. What feeds a
// correlation that others name carries what those need of the event, since it is
// gone when the condition holds.
type feeder struct {
	from     *half
	to       *correlation
	place    uint8
	steps    []step // from the rule outwards
	group    []field
	value    []field
	subject  []field // none: the group
	name     []field
	parts    []field // of which its part is made; none: it has none
	parents  []*feeder
	onlySeen bool // only says that the value was there, of the rule at known: see familiar

	// Of the above, for every event:
	numeric bool    // what it counts are numbers
	chosen  []field // group and value
}

// step is one correlation on the way from a rule outwards, and what that one
// calls what it is fed by.
type step struct {
	by   *correlation
	name string
}

// feeder compiles what of an event that h matches goes to c, over the steps in
// between.
func (b *builder) feeder(c *correlation, place uint8, h *half, steps []step) (*feeder, error) {
	f := &feeder{from: h, to: c, place: place, steps: steps}
	var err error
	if f.group, err = b.fields(f, c.doc.GroupBy); err != nil {
		return nil, err
	}
	if f.value, err = b.fields(f, c.doc.Field); err != nil {
		return nil, err
	}
	if c.key != nil && c.key.Unseen != "" && c.key.compares(c.doc, steps[len(steps)-1].name) {
		if f.value, err = b.fields(f, []string{c.key.Unseen}); err != nil {
			return nil, err
		}
		f.onlySeen = c.key.WhileOpen && steps[len(steps)-1].name == c.key.Known
	}
	if c.key != nil {
		if f.subject, err = b.nodeFields(f, &c.key.Subject); err != nil {
			return nil, err
		}
		if f.name, err = b.nodeFields(f, &c.key.Name); err != nil {
			return nil, err
		}
	}
	if err := b.partFields(f); err != nil {
		return nil, err
	}
	f.numeric, f.chosen = c.doc.Numeric(), slices.Concat(f.group, f.value)
	c.feeders = append(c.feeders, f)
	return f, nil
}

// nodeFields reads a field or a list of fields.
func (b *builder) nodeFields(f *feeder, n *yaml.Node) ([]field, error) {
	var names []string
	switch {
	case n.IsZero():
		return nil, nil
	case n.Kind == yaml.ScalarNode:
		names = []string{n.Value}
	default:
		if err := n.Load(&names); err != nil {
			return nil, at(f.to.doc.File, n, "safeguard of a correlation takes a field or a list of fields here: %v", err)
		}
	}
	return b.fields(f, names)
}

func (b *builder) fields(f *feeder, names []string) ([]field, error) {
	var out []field
	for _, name := range names {
		resolved, err := followAliases(name, f.steps)
		if err != nil {
			return nil, err
		}
		var of field
		for alternative := range strings.SplitSeq(resolved, " | ") {
			slot, err := b.slot(f.from, strings.TrimSpace(alternative))
			if err != nil {
				return nil, f.to.doc.Errorf("field %q of what %q matches: %v", name, f.steps[0].name, err)
			}
			of = append(of, slot)
		}
		out = append(out, of)
	}
	return out, nil
}

// followAliases goes by the aliases of the correlations from the outermost one to the
// rule, and returns the field of the rule's event.
func followAliases(name string, steps []step) (string, error) {
	for _, s := range slices.Backward(steps) {
		fields, isAlias := s.by.doc.Aliases[name]
		if !isAlias {
			continue
		}
		field, ok := fields[s.name]
		if !ok {
			return "", s.by.doc.Errorf("alias %q does not say which field it is of %q, whose events could never take part: add it", name, s.name)
		}
		name = field
	}
	return name, nil
}

// slot returns where a field of the events that h matches is read.
func (b *builder) slot(h *half, name string) (int, error) {
	low := strings.ToLower(name)
	switch low {
	case "event.subject":
		return findingSubject, nil
	case "event.entry":
		return findingEntry, nil
	}
	if slices.Contains(fields.EventNames(), low) {
		return b.options.Fields.Slot(low), nil
	}
	if strings.HasPrefix(low, "event.") {
		return 0, fmt.Errorf("no event has it: use one of %s", strings.Join(eventNames(), ", "))
	}
	name, err := meant(h, name)
	if err != nil {
		return 0, err
	}
	if err := fields.Check(name, b.options.Placeholders); err != nil {
		return 0, err
	}
	return b.options.Fields.Slot(name), nil
}

// eventNames lists the fields of events that correlations may name: two are of
// the finding.
func eventNames() []string {
	names := append(fields.EventNames(), "event.subject", "event.entry")
	slices.Sort(names)
	return names
}

// meant translates a field name as the detection of h does, and refuses one that
// no record of its log source has.
func meant(h *half, name string) (string, error) {
	mapping := h.view
	if mapping != nil {
		name = mapping.Rename(name)
	} else if mapping = fields.MappingOf(h.kinds); mapping != nil {
		name = mapping.Keep(name)
	} else {
		return name, nil
	}
	switch meant, doubtful := mapping.Doubtful(name); {
	case doubtful && meant != "":
		return "", fmt.Errorf("no record of the log source has it: did you mean %q?", meant)
	case doubtful && slices.Contains(fields.EventNames(), "event."+strings.ToLower(name)):
		return "", fmt.Errorf("no record of the log source has it: did you mean %q, which every event has?", "event."+strings.ToLower(name))
	case doubtful:
		return "", fmt.Errorf("no record of the log source has it: name it as the record does, such as properties.%s", name)
	}
	return name, nil
}

// slots yields each alternative of each field, parents' too.
func (f *feeder) slots(yield func(slot int)) {
	for _, list := range [][]field{f.group, f.value, f.subject, f.name, f.parts} {
		for _, field := range list {
			for _, slot := range field {
				yield(slot)
			}
		}
	}
	for _, p := range f.parents {
		p.slots(yield)
	}
}

// reads reports whether a slot is among them.
func (f *feeder) reads(slot int) (found bool) {
	f.slots(func(s int) { found = found || s == slot })
	return found
}
