package detectors

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// subject computes the key of what a rule watches from an event: the catalog's
// key as it stands in the record. Parts of a compound key are joined with " + ".
type subject []part

// part is one part of a key: the first alternative that has a value.
type part struct {
	tenant bool // the event's tenant id
	paths  []*document.Path
	before string // lower-cased marker; the value ends before its first occurrence
}

const joiner = " + "

// parseSubject reads a subject: a path, alternatives "a | b", a map
// {field, before}, or a list of these.
func parseSubject(file string, n *yaml.Node) (subject, error) {
	if n.IsZero() {
		return nil, nil
	}
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	var s subject
	for _, item := range items {
		p, err := parsePart(file, item)
		if err != nil {
			return nil, err
		}
		s = append(s, p)
	}
	return s, nil
}

func parsePart(file string, n *yaml.Node) (part, error) {
	field, before := n.Value, ""
	if n.Kind == yaml.MappingNode {
		var m struct {
			Field  string `yaml:"field"`
			Before string `yaml:"before"`
		}
		if err := n.Load(&m, yaml.WithKnownFields(true)); err != nil {
			return part{}, at(file, n, "subject: %v", err)
		}
		field, before = m.Field, strings.ToLower(m.Before)
	}
	if field == "tenant" {
		return part{tenant: true}, nil
	}
	p := part{before: before}
	for alternative := range strings.SplitSeq(field, " | ") {
		path, err := document.Compile(strings.TrimSpace(alternative))
		if err != nil {
			return part{}, at(file, n, "subject: %v", err)
		}
		p.paths = append(p.paths, path)
	}
	return p, nil
}

// of returns the subject of ev, or "" when every part is empty.
func (s subject) of(ev *ingest.Event) string {
	var parts []string
	found := false
	for i := range s {
		v := s[i].of(ev)
		found = found || v != ""
		parts = append(parts, v)
	}
	if !found {
		return ""
	}
	return strings.Join(parts, joiner)
}

func (p *part) of(ev *ingest.Event) string {
	if p.tenant {
		return ev.Tenant
	}
	for _, path := range p.paths {
		v := strings.TrimSpace(ev.Doc.Text(path))
		if v == "" {
			continue
		}
		if p.before != "" {
			if i := strings.Index(strings.ToLower(v), p.before); i >= 0 {
				v = v[:i]
			}
		}
		return v
	}
	return ""
}
