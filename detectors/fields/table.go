package fields

import (
	"errors"
	"fmt"
	"slices"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// Table says how each field that rules name is read: by a path into the
// record, or computed.
type Table struct {
	paths    []*document.Path // by slot; nil for computed fields
	computed []computed       // by slot; nil for paths
	slots    *sigma.Fields
	list     []string // names by slot
}

// computed is a field that no path leads to. append must be pure.
type computed interface {
	append(dst []sigma.Value, ev *ingest.Event) []sigma.Value
}

// Compile compiles the field names of a set of rules. lists are the operator's.
func Compile(fields *sigma.Fields, lists map[string][]string) (*Table, error) {
	addGrounds(fields)
	names := fields.Names()
	t := &Table{paths: make([]*document.Path, len(names)), computed: make([]computed, len(names)), slots: fields, list: names}
	var errs []error
	for i, name := range names {
		var err error
		if t.computed[i], err = compute(name, lists); err == nil && t.computed[i] == nil {
			t.paths[i], err = document.Compile(name)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("field %q: %w", name, err))
		}
	}
	return t, errors.Join(errs...)
}

// Len returns how many fields there are.
func (t *Table) Len() int { return len(t.paths) }

// IsNetwork reports whether a field is event.network, which every sign-in is
// asked for.
func (t *Table) IsNetwork(slot int) bool {
	_, ok := t.computed[slot].(networkField)
	return ok
}

// Append appends the values of a field, read from the event alone.
func (t *Table) Append(dst []sigma.Value, ev *ingest.Event, slot int) []sigma.Value {
	if c := t.computed[slot]; c != nil {
		return c.append(dst, ev)
	}
	return Values(ev.Doc.Values(t.paths[slot], records(dst)))
}

// Walked returns the paths that hold the values of some fields, or from which
// they are computed, field after field.
func (t *Table) Walked(slots []int) []*document.Path {
	var out []*document.Path
	for _, slot := range slots {
		switch c := t.computed[slot].(type) {
		case nil:
			out = append(out, t.paths[slot])
		case *paths:
			out = append(out, c.list...)
		case *said:
			out = append(out, c.path)
		default:
			out = append(out, inputsOf(c)...)
		}
	}
	return out
}

// Place takes the slots of a field's paths, in the order of Walked, and says
// what they hold; known is false if they do not hold the field's values.
func (t *Table) Place(field int, take func(n int) []int) (p Place, known bool) {
	switch c := t.computed[field].(type) {
	case nil:
		return Place{Slots: take(1)}, true
	case *paths:
		return Place{Slots: take(len(c.list)), first: !c.all}, true
	case *said:
		return Place{Slots: take(1), said: true}, true
	default:
		take(len(inputsOf(c)))
		return Place{}, false
	}
}

// effort says how dear a field is to read of every event, for the index: paths
// into JSON in strings are decoded, and computed fields computed.
func (t *Table) effort(slot int) float64 {
	switch c := t.computed[slot].(type) {
	case nil:
		return pathEffort(t.paths[slot])
	case *said:
		return pathEffort(c.path)
	case *action, saidAction, *paths, eventField, networkField:
		return 0
	case *derivedField:
		return 2
	}
	return 1.5
}

func pathEffort(p *document.Path) float64 {
	switch {
	case p.Decodes():
		return 0.9
	case apart(p):
		return 0.7
	}
	return 0
}

// seldom are objects, and lists of many, in sign-ins and audits that only rules which
// come into question look into: to look for a member in each of a list costs as much
// as all the rest of the record.
var seldom = []string{"appliedConditionalAccessPolicies", "authenticationDetails", "deviceDetail", "modifiedProperties"}

// apart reports whether a path leads into one of these, or through the objects of
// a list one by one.
func apart(p *document.Path) bool {
	for _, name := range seldom {
		if named, filtered := p.Through(name); named || filtered {
			return true
		}
	}
	return false
}

// Advice is what the index is told of the fields.
func (t *Table) Advice() sigma.Advice { return sigma.Advice{Effort: t.cost, Instead: t.instead} }

// cost is effort and what follows from it that many events meet a requirement.
func (t *Table) cost(r sigma.Requirement) float64 {
	cost := t.effort(r.Slot)
	if slices.ContainsFunc(r.Values, func(v string) bool { return slices.Contains(usualValues, v) }) {
		cost += 2
	}
	return cost
}

// usualValues are those that most events of some kind have in a field of few words.
var usualValues = []string{"success", "succeeded", "true", "0", "none", "member", "administrative", "exchange", "sharepoint",
	"multifactorauthentication", "core directory", "usermanagement"}

// Further returns the fields of matchers, and others, that the walk is
// to read beside those of the index. Where the record has them that costs little, and nothing where
// it has not; to look each up for each rule that is evaluated costs a search.
func (t *Table) Further(set *sigma.Set, matchers []*sigma.Matcher, others []int) []int {
	var out []int
	for _, m := range matchers {
		out = append(out, m.Slots()...)
	}
	out = append(out, others...)
	slices.Sort(out)
	indexed := set.Slots()
	return slices.DeleteFunc(slices.Compact(out), func(slot int) bool {
		if slot < 0 {
			return true
		}
		return slices.Contains(indexed, slot) || !t.easy(slot)
	})
}

// easy reports whether a walk reads what a field is made of at little cost.
func (t *Table) easy(slot int) bool {
	inputs := []*document.Path{t.paths[slot]}
	switch c := t.computed[slot].(type) {
	case nil:
	case *derivedField:
		return false // it looks for much, and finds it in few records
	default:
		if inputs = inputsOf(c); len(inputs) == 0 {
			return t.effort(slot) <= 1
		}
	}
	return !slices.ContainsFunc(inputs, func(p *document.Path) bool { return !p.Targeted() || apart(p) })
}

// inputsOf returns the paths that a computed field reads of every event, as far
// as it says.
func inputsOf(c computed) []*document.Path {
	if r, ok := c.(interface{ inputs() []*document.Path }); ok {
		return r.inputs()
	}
	return nil
}
