package sigma

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// YAML merge keys may refer to themselves, and to each other again and again.
const (
	maxMergeDepth = 8
	maxMerges     = 1000 // of one file
)

// problems collects the errors and warnings of one file.
type problems struct {
	file     string
	errs     []error
	warnings []*Error
	merges   int
}

func (p *problems) errorf(n *yaml.Node, format string, args ...any) {
	p.errs = append(p.errs, p.at(n, format, args...))
}

func (p *problems) warnf(n *yaml.Node, format string, args ...any) {
	p.warnings = append(p.warnings, p.at(n, format, args...))
}

func (p *problems) at(n *yaml.Node, format string, args ...any) *Error {
	e := &Error{File: p.file, Line: 1, Column: 1, Msg: fmt.Sprintf(format, args...)}
	if n != nil && n.Line > 0 {
		e.Line, e.Column = n.Line, max(n.Column, 1)
	}
	return e
}

// loadYAML returns the root node of each document, up to the first that is not
// YAML, which is reported.
func loadYAML(p *problems, data []byte) []*yaml.Node {
	l, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		p.errorf(nil, "read YAML: %v", err)
		return nil
	}
	var docs []*yaml.Node
	for {
		var n yaml.Node
		err := l.Load(&n)
		if errors.Is(err, io.EOF) {
			return docs
		}
		if err != nil {
			p.errorf(yamlPosition(err), "not valid YAML: %s", yamlMessage(err))
			return docs
		}
		if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
			docs = append(docs, n.Content[0])
		}
	}
}

func yamlPosition(err error) *yaml.Node {
	if le, ok := errors.AsType[*yaml.LoadError](err); ok {
		return &yaml.Node{Line: le.Mark.Line, Column: le.Mark.Column}
	}
	return nil
}

func yamlMessage(err error) string {
	if le, ok := errors.AsType[*yaml.LoadError](err); ok {
		return le.Message
	}
	return err.Error()
}

// resolve follows an alias.
func resolve(n *yaml.Node) *yaml.Node {
	for range maxMergeDepth {
		if n == nil || n.Kind != yaml.AliasNode {
			return n
		}
		n = n.Alias
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
}

type pair struct{ key, value *yaml.Node }

// pairs lists the entries of a mapping in order, with aliases followed and
// merge keys applied. A key given twice is an error.
func (p *problems) pairs(n *yaml.Node) []pair {
	return p.mergedPairs(n, 0)
}

func (p *problems) mergedPairs(n *yaml.Node, depth int) []pair {
	var out, merged []pair
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := resolve(n.Content[i]), resolve(n.Content[i+1])
		switch {
		case k.Kind != yaml.ScalarNode:
			p.errorf(n.Content[i], "a key must be plain text, not a list or map")
		case k.Tag == "!!merge":
			merged = append(merged, p.merge(v, depth)...)
		case seen[k.Value] > 0:
			p.errorf(k, "key %q is given twice (first on line %d): YAML keeps only one of them, so join or rename them", k.Value, seen[k.Value])
		default:
			seen[k.Value] = max(k.Line, 1)
			out = append(out, pair{k, v})
		}
	}
	for _, m := range merged {
		if seen[m.key.Value] == 0 {
			seen[m.key.Value] = max(m.key.Line, 1)
			out = append(out, m)
		}
	}
	return out
}

func (p *problems) merge(v *yaml.Node, depth int) []pair {
	if p.merges++; p.merges > maxMerges || depth >= maxMergeDepth {
		p.errorf(v, "too many merge keys (<<), or nested too deeply")
		return nil
	}
	switch v.Kind {
	case yaml.MappingNode:
		return p.mergedPairs(v, depth+1)
	case yaml.SequenceNode:
		var out []pair
		for _, c := range v.Content {
			if c = resolve(c); c.Kind == yaml.MappingNode {
				out = append(out, p.merge(c, depth)...)
			}
		}
		return out
	}
	p.errorf(v, "a merge key (<<) needs a map or a list of maps")
	return nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// text reads a scalar as text.
func (p *problems) text(key string, n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		p.errorf(n, "%s must be text, not a list or map", key)
		return ""
	}
	if isNull(n) {
		return ""
	}
	return n.Value
}

// texts reads a list of scalars; a lone scalar counts as a list of one.
func (p *problems) texts(key string, n *yaml.Node) []string {
	switch {
	case isNull(n):
		return nil
	case n.Kind == yaml.ScalarNode:
		return []string{n.Value}
	case n.Kind == yaml.MappingNode:
		p.errorf(n, "%s must be a list of texts, not a map", key)
		return nil
	}
	var out []string
	for _, c := range n.Content {
		if s := p.text("an item of "+key, resolve(c)); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// oneOf reads a scalar that must be one of a closed list.
func (p *problems) oneOf(key string, n *yaml.Node, allowed []string) string {
	s := p.text(key, n)
	if s != "" && !slices.Contains(allowed, s) {
		p.errorf(n, "%s %q is not one of %s%s", key, s, strings.Join(allowed, ", "), didYouMean(s, allowed))
	}
	return s
}

// didYouMean returns "; did you mean …?" for the nearest candidate, or "".
func didYouMean(s string, candidates []string) string {
	best, bestDist := "", 3
	for _, c := range candidates {
		if d := Edits(strings.ToLower(s), strings.ToLower(c), bestDist); d < bestDist && d < len(c) {
			best, bestDist = c, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
