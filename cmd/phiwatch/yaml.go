package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/sigma"
)

// yamlFile is a parsed YAML file that can say where a key stands.
type yamlFile struct {
	name string
	root *yaml.Node
}

// parseYAML decodes data into v, which holds the defaults. A key that v does
// not know, a key twice and a value of the wrong type are errors; each names
// file, line and what would be right.
func parseYAML(name string, data []byte, v any) (*yamlFile, error) {
	f := &yamlFile{name: name, root: &yaml.Node{}}
	if err := yaml.Unmarshal(data, f.root); err != nil {
		return nil, f.syntax(err)
	}
	if len(f.root.Content) == 0 {
		return f, nil // an empty file: all defaults
	}
	f.root = f.root.Content[0]
	if err := f.single(data); err != nil {
		return nil, err
	}
	if err := errors.Join(f.unknown(f.root, reflect.TypeOf(v), "")...); err != nil {
		return nil, err
	}
	if err := f.root.Load(v, yaml.WithKnownFields(true)); err != nil {
		return nil, f.syntax(err)
	}
	return f, nil
}

// single refuses a second document, of which nothing would be read.
func (f *yamlFile) single(data []byte) error {
	documents := yaml.NewDecoder(bytes.NewReader(data))
	for n := 0; ; n++ {
		var doc yaml.Node
		switch err := documents.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return f.syntax(err)
		case n > 0 && len(doc.Content) > 0 && doc.Content[0].Tag != "!!null":
			return fmt.Errorf("%s:%d: a second document begins after ---, and only one is read; put all keys into the first", f.name, doc.Content[0].Line)
		}
	}
}

var yamlLine = regexp.MustCompile(`line (\d+)(?:, column \d+)?: `)

// syntax rewrites errors of the YAML library as file:line: message, one each.
func (f *yamlFile) syntax(err error) error {
	if typed, ok := f.typed(err); ok {
		return typed
	}
	msg := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "yaml: "), "construct errors: ")
	marks := yamlLine.FindAllStringSubmatchIndex(msg, -1)
	if marks == nil {
		return fmt.Errorf("%s: %s", f.name, msg)
	}
	var errs []error
	for i, m := range marks {
		end := len(msg)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		errs = append(errs, fmt.Errorf("%s:%s: %s", f.name, msg[m[2]:m[3]], strings.TrimRight(msg[m[1]:end], "; ")))
	}
	return errors.Join(errs...)
}

// unknown returns an error for every key of n that t has no field for.
func (f *yamlFile) unknown(n *yaml.Node, t reflect.Type, path string) []error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		var errs []error
		for i, item := range n.Content {
			errs = append(errs, f.unknown(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i))...)
		}
		return errs
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct && !unmarshals(t):
		return f.unknownKeys(n, t, path)
	}
	return nil
}

func (f *yamlFile) unknownKeys(n *yaml.Node, t reflect.Type, path string) []error {
	var errs []error
	fields := yamlFields(t)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		sub := strings.TrimPrefix(path+"."+key.Value, ".")
		switch ft, ok := fields[key.Value]; {
		case !ok:
			errs = append(errs, fmt.Errorf("%s:%d: unknown key %q; %s", f.name, key.Line, sub, suggest(key.Value, fields)))
		case seen[key.Value]:
			errs = append(errs, fmt.Errorf("%s:%d: key %q stands twice; keep one", f.name, key.Line, sub))
		default:
			errs = append(errs, f.unknown(value, ft, sub)...)
		}
		seen[key.Value] = true
	}
	return errs
}

// unmarshals reports whether t decodes itself.
func unmarshals(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[yaml.Unmarshaler]()) || t == reflect.TypeFor[yaml.Node]()
}

// yamlFields maps the keys of a struct to their types, inlined ones included.
func yamlFields(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for sf := range t.Fields() {
		name, opts, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if strings.Contains(opts, "inline") {
			inner := sf.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			maps.Copy(fields, yamlFields(inner))
			continue
		}
		if name == "-" || !sf.IsExported() {
			continue
		}
		fields[cmp.Or(name, strings.ToLower(sf.Name))] = sf.Type
	}
	return fields
}

// suggest names the nearest known key, or all of them.
func suggest(key string, fields map[string]reflect.Type) string {
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	best, distance := "", len(key)/2+1
	for _, name := range names {
		if d := sigma.Edits(key, name, distance); d < distance {
			best, distance = name, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "known here: " + strings.Join(names, ", ")
}

var pathPrefix = regexp.MustCompile(`^(?:[a-z][a-z0-9_]*|\[\d+\])(?:\.[a-z][a-z0-9_]*|\[\d+\])*: `)

// locate prefixes every error in err with the file and the line of the key it
// begins with ("route.routes[0].matchers[1]: …"), looked up below the key under.
func (f *yamlFile) locate(under string, err error) error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, f.locate(under, e))
		}
		return errors.Join(errs...)
	}
	path, msg := under, err.Error()
	if m := pathPrefix.FindString(msg); m != "" {
		path = strings.Trim(under+"."+strings.TrimSuffix(m, ": "), ".")
		path = strings.ReplaceAll(path, ".[", "[")
		msg = msg[len(m):]
	}
	return fmt.Errorf("%s:%d: %s: %s", f.name, f.line(path), path, msg)
}

// line returns the line of the key at path, or of its nearest parent.
func (f *yamlFile) line(path string) int {
	line, n := 1, f.root
	for step := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		next := child(n, step)
		if next == nil {
			return line
		}
		n, line = next, next.Line
	}
	return line
}

func child(n *yaml.Node, step string) *yaml.Node {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i < len(n.Content) {
			return n.Content[i]
		}
	}
	return nil
}
