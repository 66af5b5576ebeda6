package detectors

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// Kinds returns the kinds of events that can show what the rule looks for, in
// the order of the kinds, each once. None: the rule names a log source that
// phiwatch does not read.
func (r *Rule) Kinds() []ingest.Kind {
	return kindsOfHalves(r, func(h *half) bool { return h.state != Restored || h.rule != r })
}

// RestoreKinds is Kinds for what restores the safeguard; none if no event does.
func (r *Rule) RestoreKinds() []ingest.Kind {
	return kindsOfHalves(r, func(h *half) bool { return h.state == Restored && h.rule == r })
}

func kindsOfHalves(r *Rule, of func(*half) bool) []ingest.Kind {
	var kinds []ingest.Kind
	for _, h := range r.allHalves() {
		if of(h) {
			kinds = append(kinds, h.plausible()...)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// plausible returns the kinds of a half that have the operations it asks for. A
// log source may be wider than the rule: product azure alone is six feeds.
func (h *half) plausible() []ingest.Kind {
	if fields.MappingOf(h.kinds) != nil {
		return h.kinds
	}
	names := h.match.Fields().Names()
	for _, r := range h.match.Required() {
		if r.Kind != sigma.Exact || r.Slot < 0 || !strings.EqualFold(names[r.Slot], "operationName") {
			continue
		}
		kinds := slices.DeleteFunc(slices.Clone(h.kinds), func(k ingest.Kind) bool {
			return !slices.ContainsFunc(r.Values, func(operation string) bool { return canHave(k, operation) })
		})
		if len(kinds) > 0 {
			return kinds
		}
	}
	return h.kinds
}

// canHave reports whether events of a kind can have an operation, going by how
// it is named: Azure's begin with the resource provider, a vault's are one word,
// those of Entra and Intune are phrases.
func canHave(k ingest.Kind, operation string) bool {
	switch provider, phrase := strings.Contains(operation, "/"), strings.Contains(operation, " "); k {
	case ingest.AzureActivity:
		return provider
	case ingest.KeyVault:
		return !provider && !phrase
	default:
		return phrase && !provider
	}
}

// Lists returns the operator lists that the rule reads anywhere, sorted.
func (r *Rule) Lists() []string {
	lists := slices.Clone(r.lists)
	for _, h := range r.allHalves() {
		lists = append(lists, h.rule.lists...)
	}
	slices.Sort(lists)
	return slices.Compact(lists)
}

// Blind reports whether the rule, as it is configured, can match no event at
// all: because an operator list is empty without which it has nothing to look
// for, or because its log source or its fields are in no event. A correlation is
// blind when what it relates is: one of several rules that all have to match, or
// every one of those that it counts.
func (r *Rule) Blind() bool {
	if r.correlation == nil {
		return r.never != ""
	}
	places := map[uint8]bool{} // whether some rule in the place can match
	for _, f := range r.correlation.feeders {
		place := f.place
		if !r.correlation.doc.Ranked() {
			place = 0
		}
		places[place] = places[place] || f.from.rule.never == ""
	}
	for _, sees := range places {
		if !sees {
			return true
		}
	}
	return false
}

// BlindToRestore reports whether the rule has something that restores, and none
// of it can match, as Blind.
func (r *Rule) BlindToRestore() bool {
	h := r.restores()
	return h != nil && h.match.Never()
}

// listsIn returns the operator lists that a document reads: in the placeholders
// of its detections, in computed fields, and in the keys regained and lapses.
func (b *builder) listsIn(sr *sigma.Rule) []string {
	d := b.filtered(sr)
	lists := d.Placeholders()
	for _, field := range d.Fields() {
		lists = append(lists, fields.ListsOf(field)...)
	}
	lists = append(lists, listsInNode(sr.Extra["safeguard"])...)
	slices.Sort(lists)
	return slices.Compact(lists)
}

// listsInNode looks for the same in the detections within a safeguard key.
func listsInNode(n *yaml.Node) (lists []string) {
	if n == nil {
		return nil
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			lists = append(lists, listsInPair(child.Value, n.Content[i+1])...)
		}
		lists = append(lists, listsInNode(child)...)
	}
	return lists
}

func listsInPair(key string, value *yaml.Node) (lists []string) {
	field, modifiers, _ := strings.Cut(key, "|")
	lists = fields.ListsOf(field)
	switch {
	case slices.Contains(strings.Split(modifiers, "|"), "expand"):
		lists = append(lists, placeholdersIn(value)...)
	case key == "regained":
		var y regainedYAML
		if value.Load(&y) != nil { // told when the rule was built
			return lists
		}
		for _, list := range []string{y.Order, y.Among} {
			if list != "" {
				lists = append(lists, list)
			}
		}
	case key == "spare" && value.Value != "":
		lists = append(lists, value.Value)
	case key == "lapses":
		var y lapsesYAML
		if value.Load(&y) == nil && y.List != "" {
			lists = append(lists, y.list())
		}
	}
	return lists
}

// placeholdersIn returns the names between percent signs in a value or a list of
// values.
func placeholdersIn(n *yaml.Node) (names []string) {
	if n.Kind == yaml.ScalarNode {
		return sigma.Placeholders(n.Value)
	}
	for _, child := range n.Content {
		names = append(names, placeholdersIn(child)...)
	}
	return names
}
