package main

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/strict"
)

// yamlFile is a parsed YAML file that can say where a key stands.
type yamlFile struct {
	name string
	root *yaml.Node
}

// parseYAML decodes data into v, which holds the defaults.
func parseYAML(name string, data []byte, v any) (*yamlFile, error) {
	root, err := strict.Parse(name, data)
	if err != nil {
		return nil, err
	}
	return &yamlFile{name, root}, strict.Load(name, root, v, "", nil)
}

var pathPrefix = regexp.MustCompile(`^(?:[a-z][a-z0-9_]*|\[\d+\])(?:\.[a-z][a-z0-9_]*|\[\d+\])*: `)

// locate prefixes every error in err with the place in the file of the key it
// begins with ("route.routes[0].matchers[1]: …"), looked up below the key under.
// Without a file, as in the demo, there is no place to name.
func (f *yamlFile) locate(under string, err error) error {
	if err == nil || f == nil {
		return err
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
	return strict.At(f.name, f.place(path), "%s: %s", path, msg)
}

// place returns the value of the key at path, or its nearest parent.
func (f *yamlFile) place(path string) *yaml.Node {
	n := f.root
	for step := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		next := child(n, step)
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

func child(n *yaml.Node, step string) *yaml.Node {
	switch n = strict.Resolve(n); n.Kind {
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
