package strict

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Nodes says of structs that leave keys as yaml.Node, to read them later, what each
// key is then read into. A list is of one or many, any of which may be a text.
type Nodes map[reflect.Type]map[string]reflect.Type

// checker collects the mistakes of a file.
type checker struct {
	file  string
	nodes Nodes
	seen  map[visit]bool // of what has an anchor: it is told once, and may hold itself
	errs  []error
}

type visit struct {
	n *yaml.Node
	t reflect.Type
}

// must is check where something has to stand: the library would pass over an
// item of a list that is nothing.
func (c *checker) must(n *yaml.Node, t reflect.Type, path string, loosely bool) {
	if Resolve(n).Tag == "!!null" {
		c.misfit(n, t, path)
	} else {
		c.check(n, t, path, loosely)
	}
}

// check holds a value to a type; loosely, it may be a text or a list of such
// instead. A key with nothing is as if it were not there.
func (c *checker) check(n *yaml.Node, t reflect.Type, path string, loosely bool) {
	for n = Resolve(n); t.Kind() == reflect.Pointer; {
		t = t.Elem()
	}
	if v := (visit{n, t}); n.Anchor != "" {
		if c.seen[v] {
			return
		}
		c.seen[v] = true
	}
	switch kind := t.Kind(); {
	case n.Tag == "!!null", t == reflect.TypeFor[yaml.Node](), loosely && n.Kind == yaml.ScalarNode:
	case n.Kind == yaml.SequenceNode && (loosely || kind == reflect.Slice):
		if !loosely {
			t = t.Elem()
		}
		for i, item := range n.Content {
			c.must(item, t, path+"["+strconv.Itoa(i)+"]", loosely)
		}
	case n.Kind == yaml.MappingNode && (kind == reflect.Struct || kind == reflect.Map):
		c.keys(n, t, path)
	default:
		c.scalar(n, t, path)
	}
}

// keys holds the keys of a block, and what merge keys bring into it, to a struct
// or a map.
func (c *checker) keys(n *yaml.Node, t reflect.Type, path string) {
	var known map[string]reflect.Type
	if t.Kind() == reflect.Struct {
		known = Keys(t)
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := Resolve(n.Content[i]), n.Content[i+1]
		sub := strings.TrimPrefix(path+"."+key.Value, ".")
		field, ok := known[key.Value]
		if t.Kind() == reflect.Map {
			field, ok = t.Elem(), true
		}
		switch {
		case key.Tag == "!!merge":
			c.merge(value, t, path)
			continue
		case !ok:
			c.errorf(key, "unknown key %q; %s", sub, suggest(key.Value, slices.Sorted(maps.Keys(known))))
		case seen[key.Value]:
			c.errorf(key, "key %q stands twice; keep one", sub)
		default:
			c.check(value, field, sub, false)
		}
		if later := c.nodes[t][key.Value]; later != nil && later.Kind() == reflect.Slice {
			c.check(value, later.Elem(), sub, true)
		} else if later != nil {
			c.must(value, later, sub, false)
		}
		seen[key.Value] = true
	}
}

// merge holds what a merge key brings to the type of the block it is brought into.
func (c *checker) merge(n *yaml.Node, t reflect.Type, path string) {
	blocks := []*yaml.Node{n}
	if n = Resolve(n); n.Kind == yaml.SequenceNode {
		blocks = n.Content
	}
	for _, block := range blocks {
		c.must(block, t, path, false)
	}
}

// scalar holds a value to a type that is not made of others. What the library
// reads fits; a type that reads itself says what it wants.
func (c *checker) scalar(n *yaml.Node, t reflect.Type, path string) {
	v := reflect.New(t).Interface()
	if own, ok := v.(yaml.Unmarshaler); ok {
		if err := own.UnmarshalYAML(n); err != nil {
			c.errorf(n, "%s%v", prefix(path), err)
		}
	} else if n.Load(v) != nil {
		c.misfit(n, t, path)
	}
}

func (c *checker) misfit(n *yaml.Node, t reflect.Type, path string) {
	want, hint := wanted(t), ""
	if want == "a text" && n.Kind == yaml.MappingNode && strings.HasSuffix(path, "]") {
		hint = "; put it in quotes, for it has a colon"
	}
	c.errorf(n, "%swant %s, got %s%s", prefix(path), want, Form(n), hint)
}

func (c *checker) errorf(n *yaml.Node, format string, args ...any) {
	c.errs = append(c.errs, At(c.file, n, format, args...))
}

// prefix is what stands before a message about the value at a path.
func prefix(path string) string { return strings.TrimPrefix(path+": ", ": ") }

// wanted says what a value of a type is written like.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "a block of keys"
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "a number"
	}
	if t == reflect.TypeFor[time.Duration]() {
		return "a duration such as 90s, 15m or 72h"
	}
	return "a whole number"
}

// Form says what a node is: what it is written like, or its text.
func Form(n *yaml.Node) string {
	switch n = Resolve(n); {
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.MappingNode:
		return "a block of keys"
	case n.Tag == "!!null":
		return "nothing"
	}
	return strconv.Quote(n.Value)
}

// Resolve follows an alias to what has the anchor.
func Resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// Keys maps the keys of a struct, which are those of its yaml tags, to their types.
func Keys(t reflect.Type) map[string]reflect.Type {
	keys := map[string]reflect.Type{}
	for f := range t.Fields() {
		if name := f.Tag.Get("yaml"); name != "" && name != "-" {
			keys[name] = f.Type
		}
	}
	return keys
}
