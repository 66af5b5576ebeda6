package detectors

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// layout is what may stand at a place of a safeguard key: the keys of a struct, or
// under any name what each is about.
type layout struct {
	of   reflect.Type      // a struct with yaml tags
	sub  map[string]layout // what its keys of type yaml.Node hold
	each *layout           // instead of both: names of the rule's own
}

var (
	partKeys      = layout{of: reflect.TypeFor[partYAML]()}
	conditionKeys = layout{of: reflect.TypeFor[condition]()}

	safeguardKeys = layout{of: reflect.TypeFor[safeguard](), sub: map[string]layout{
		"subject": partKeys, "name": partKeys, "restored_subject": partKeys,
		"severity": conditionKeys, "unknown": conditionKeys,
		"regained": {of: reflect.TypeFor[regainedYAML]()},
		"known":    {of: reflect.TypeFor[knownYAML](), sub: map[string]layout{"key": partKeys, "of": partKeys}},
		"sides":    {each: &layout{of: reflect.TypeFor[sideYAML]()}},
		"memory": {of: reflect.TypeFor[memoryYAML](), sub: map[string]layout{
			"values": {each: &layout{of: reflect.TypeFor[rememberedYAML]()}},
		}},
		"alias":  {of: reflect.TypeFor[aliasYAML](), sub: map[string]layout{"names": partKeys}},
		"lapses": {of: reflect.TypeFor[lapsesYAML]()},
	}}
	correlatedKeys = layout{of: reflect.TypeFor[correlated]()}
)

// load decodes a safeguard key, or one below it, into v. What the YAML library would tell in Go's
// words, a key that v does not know and a value of the wrong form, is told in
// the file's: each with its place and what would be right.
func load(file string, n *yaml.Node, v any, known layout, path string) error {
	if aliased(n).Kind != yaml.MappingNode {
		return at(file, n, "%s: want a block of keys, got %s", path, formOf(aliased(n)))
	}
	if err := errors.Join(known.check(file, n, path)...); err != nil {
		return err
	}
	if err := n.Load(v, yaml.WithKnownFields(true)); err != nil {
		return at(file, n, "%s: %v", path, err)
	}
	return nil
}

// check returns an error for each key below n, and for each value that does not
// fit. Where a text or a list may stand instead of a map, that is left alone.
func (k layout) check(file string, n *yaml.Node, path string) (errs []error) {
	switch n = aliased(n); n.Kind {
	case yaml.SequenceNode:
		for i, item := range n.Content {
			errs = append(errs, k.check(file, item, path+"["+strconv.Itoa(i)+"]")...)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			errs = append(errs, k.checkKey(file, n.Content[i], n.Content[i+1], path)...)
		}
	}
	return errs
}

func (k layout) checkKey(file string, key, value *yaml.Node, path string) []error {
	sub := path + "." + key.Value
	if k.each != nil {
		return k.each.check(file, value, sub)
	}
	names := yamlKeys(k.of)
	field, ok := names[key.Value]
	switch {
	case key.Value == "<<": // what an anchor brings is checked where it stands
		return nil
	case !ok:
		return []error{at(file, key, "unknown key %q; %s", sub, suggestKey(key.Value, names))}
	case field == reflect.TypeFor[yaml.Node]():
		if nested, ok := k.sub[key.Value]; ok {
			return nested.check(file, value, sub)
		}
		return nil // a detection, which is package sigma's
	}
	for field.Kind() == reflect.Pointer {
		field = field.Elem()
	}
	if want := misfit(aliased(value), field); want != "" {
		return []error{at(file, value, "%s: want %s, got %s", sub, want, formOf(aliased(value)))}
	}
	if nested, ok := k.sub[key.Value]; ok {
		return nested.check(file, value, sub)
	}
	if field.Kind() == reflect.Slice {
		return misfits(file, value, sub, field.Elem())
	}
	if field.Kind() == reflect.Struct {
		return layout{of: field}.check(file, value, sub)
	}
	return nil
}

// misfits returns an error for each item of a list that does not fit: a step of
// a runbook with a colon, for one, is a block of keys.
func misfits(file string, list *yaml.Node, path string, t reflect.Type) (errs []error) {
	for i, item := range aliased(list).Content {
		want := misfit(aliased(item), t)
		if want == "" {
			continue
		}
		hint := ""
		if want == "a text" && aliased(item).Kind == yaml.MappingNode {
			hint = "; put it in quotes, for it has a colon"
		}
		errs = append(errs, at(file, item, "%s[%d]: want %s, got %s%s", path, i, want, formOf(aliased(item)), hint))
	}
	return errs
}

// misfit says what a value of a type is written like, if n is not.
func misfit(n *yaml.Node, t reflect.Type) string {
	_, err := strconv.ParseFloat(n.Value, 64)
	number := n.Kind == yaml.ScalarNode && err == nil
	switch kind := t.Kind(); {
	case n.Tag == "!!null":
		return "" // as if it were not there
	case kind == reflect.Slice && n.Kind != yaml.SequenceNode:
		return "a list"
	case kind == reflect.Struct && n.Kind != yaml.MappingNode:
		return "a block of keys"
	case kind == reflect.String && n.Kind != yaml.ScalarNode:
		return "a text"
	case kind == reflect.Bool && n.Tag != "!!bool":
		return "true or false"
	case kind == reflect.Int && (!number || n.Tag != "!!int"):
		return "a whole number"
	case kind == reflect.Float64 && !number:
		return "a number"
	}
	return ""
}

func formOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a block of keys"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return strconv.Quote(n.Value)
}

func aliased(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// yamlKeys maps the keys of a struct to their types.
func yamlKeys(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for f := range t.Fields() {
		if name := f.Tag.Get("yaml"); name != "" {
			out[name] = f.Type
		}
	}
	return out
}

// suggestKey names the nearest known key, or all of them.
func suggestKey(key string, known map[string]reflect.Type) string {
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	if meant := Nearest(key, names); meant != "" {
		return fmt.Sprintf("did you mean %q?", meant)
	}
	return "known here: " + strings.Join(names, ", ")
}
