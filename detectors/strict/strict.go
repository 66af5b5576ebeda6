// Package strict reads the YAML that people write, the configuration and what
// phiwatch adds to a rule, and tells every mistake in their words: the place,
// the full path of the key and what would be right. The YAML library would name
// types of Go, or pass over a key that nothing reads.
package strict

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/sigma"
)

// Parse returns the root of a file that is one document; its Kind is zero if the
// file says nothing. A second document is refused, for nobody would read it.
func Parse(file string, data []byte) (*yaml.Node, error) {
	root := &yaml.Node{Line: 1, Column: 1}
	documents := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc yaml.Node
		switch err := documents.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return root, nil
		case err != nil:
			return nil, located(file, root, err, "not valid YAML: ")
		case len(doc.Content) == 0 || doc.Content[0].Tag == "!!null":
		case root.Kind != 0:
			return nil, At(file, doc.Content[0], "a second document begins after ---, and only one is read; put all of it into the first")
		default:
			root = doc.Content[0]
		}
	}
}

// Load checks the node at a path of a file and decodes it into v, which holds
// the defaults. It tells all mistakes at once.
func Load(file string, n *yaml.Node, v any, path string, nodes Nodes) error {
	if n.Kind == 0 {
		return nil
	}
	c := &checker{file: file, nodes: nodes, seen: map[visit]bool{}}
	c.must(n, reflect.TypeOf(v).Elem(), path, false)
	if c.errs != nil {
		return errors.Join(c.errs...)
	}
	if err := n.Load(v, yaml.WithKnownFields(true)); err != nil {
		return located(file, n, err, prefix(path))
	}
	return nil
}

// At makes an error that names file, line and column.
func At(file string, n *yaml.Node, format string, args ...any) error {
	e := &sigma.Error{File: file, Msg: fmt.Sprintf(format, args...)}
	if n != nil {
		e.Line, e.Column = n.Line, n.Column
	}
	return e
}

// located says in the form of At what the library says of a place near n.
func located(file string, n *yaml.Node, err error, before string) error {
	if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		n = &yaml.Node{Line: cmp.Or(e.Mark.Line, n.Line), Column: max(e.Mark.Column, 1)}
		return At(file, n, "%s%s", before, e.Message)
	}
	return At(file, n, "%s%v", before, err)
}
