package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

var yamlType = regexp.MustCompile("^cannot construct !!(\\w+)(?: `(.*)`)? into (\\S+)$")

// wanted says in the operator's words what a Go type is written like.
var wanted = map[string]string{
	"time.Duration": "a duration such as 90s, 15m or 72h", "bool": "true or false", "string": "a text",
	"int": "a whole number", "int64": "a whole number", "float64": "a number",
}

// got names what stands there instead.
var got = map[string]string{"seq": "a list", "map": "a block of keys", "null": "nothing"}

// typed returns the errors of values that do not fit, in which the YAML library
// names Go types and no key, in words of the file; false if err is another.
func (f *yamlFile) typed(err error) (error, bool) {
	var all *yaml.LoadErrors
	if !errors.As(err, &all) {
		return nil, false
	}
	var errs []error
	for _, e := range all.Errors {
		msg := yamlLine.ReplaceAllString(e.Message, "")
		if m := yamlType.FindStringSubmatch(msg); m != nil {
			msg = "want " + wantedType(m[3]) + ", got " + gotValue(m[1], m[2])
		}
		if key := pathOf(f.root, e.Mark.Line, e.Mark.Column); key != "" {
			msg = key + ": " + msg
		}
		errs = append(errs, fmt.Errorf("%s:%d: %s", f.name, e.Mark.Line, msg))
	}
	return errors.Join(errs...), true
}

func wantedType(name string) string {
	switch text, known := wanted[name]; {
	case known:
		return text
	case strings.HasPrefix(name, "[]"):
		return "a list"
	}
	return "a block of keys"
}

func gotValue(tag, value string) string {
	if text, known := got[tag]; known {
		return text
	}
	return strconv.Quote(value)
}

// pathOf returns the path of the key whose value stands at a place of the file,
// such as route.routes[0].continue; empty if none does.
func pathOf(n *yaml.Node, line, column int) string {
	if n == nil {
		return ""
	}
	for i, child := range n.Content {
		var step string
		switch {
		case n.Kind == yaml.MappingNode && i%2 == 1:
			step = "." + n.Content[i-1].Value
		case n.Kind == yaml.SequenceNode:
			step = "[" + strconv.Itoa(i) + "]"
		default:
			continue
		}
		if child.Line == line && child.Column == column {
			return strings.TrimPrefix(step, ".")
		}
		if sub := pathOf(child, line, column); sub != "" {
			return strings.TrimPrefix(strings.ReplaceAll(step+"."+sub, ".[", "["), ".")
		}
	}
	return ""
}
