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
	tenant   bool // the event's tenant id
	paths    []*document.Path
	computed computed       // instead of paths
	before   []string       // lower-cased markers; the value ends before the first of them
	after    string         // lower-cased marker; the value begins after its last occurrence, and is empty without it
	each     bool           // every value makes a subject of its own, not only the first
	when     *document.Path // left out of the key unless this has a value; nil: never
	unless   *document.Path // left out of the key if this has one
	optional bool           // left out of the key when empty
	object   bool           // the value is a vault object's address: the live object's, without version
}

// partYAML is a part as a rule writes it when a path alone does not do.
type partYAML struct {
	Field    string `yaml:"field"`
	Before   string `yaml:"before"`
	After    string `yaml:"after"`
	Each     bool   `yaml:"each"`
	Optional bool   `yaml:"optional"`
	As       string `yaml:"as"` // vault-object
	If       string `yaml:"if"`
	Unless   string `yaml:"unless"`
}

const joiner = " + "

// parseSubject reads a subject: a path, alternatives "a | b", a map
// {field, before, after, each, …}, or a list of these.
func parseSubject(file string, n *yaml.Node, lists map[string][]string) (subject, error) {
	if n.IsZero() {
		return nil, nil
	}
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	var s subject
	for _, item := range items {
		p, err := parsePart(file, item, lists)
		if err != nil {
			return nil, err
		}
		s = append(s, p)
	}
	return s, nil
}

func parsePart(file string, n *yaml.Node, lists map[string][]string) (part, error) {
	m := partYAML{Field: n.Value}
	if n.Kind == yaml.MappingNode {
		if err := n.Load(&m, yaml.WithKnownFields(true)); err != nil {
			return part{}, at(file, n, "subject: %v", err)
		}
	}
	if m.Field == "tenant" {
		return part{tenant: true}, nil
	}
	if m.As != "" && m.As != "vault-object" {
		return part{}, at(file, n, "subject: as: %q: use vault-object", m.As)
	}
	p := part{after: strings.ToLower(m.After), each: m.Each, optional: m.Optional, object: m.As != ""}
	var err error
	if m.If != "" {
		if p.when, err = document.Compile(m.If); err != nil {
			return part{}, at(file, n, "subject: %v", err)
		}
	}
	if m.Unless != "" {
		if p.unless, err = document.Compile(m.Unless); err != nil {
			return part{}, at(file, n, "subject: %v", err)
		}
	}
	if m.Before != "" {
		p.before = strings.Split(strings.ToLower(m.Before), " | ")
	}
	c, err := compute(m.Field, lists)
	if err != nil {
		return part{}, at(file, n, "subject: %v", err)
	}
	if c != nil {
		p.computed = c
		return p, nil
	}
	for alternative := range strings.SplitSeq(m.Field, " | ") {
		path, err := document.Compile(strings.TrimSpace(alternative))
		if err != nil {
			return part{}, at(file, n, "subject: %v", err)
		}
		p.paths = append(p.paths, path)
	}
	return p, nil
}

// of returns the subjects of ev: one, or several where a part has several
// values and takes each; none when every part is empty.
func (s subject) of(ev *ingest.Event) []string {
	keys := []string{""}
	found, parts := false, 0
	for i := range s {
		if s[i].out(ev) {
			continue
		}
		values := s[i].of(ev)
		if s[i].optional && values[0] == "" {
			continue
		}
		found = found || values[0] != ""
		joined := make([]string, 0, len(keys)*len(values))
		for _, key := range keys {
			for _, v := range values {
				if parts > 0 {
					v = key + joiner + v
				}
				joined = append(joined, v)
			}
		}
		keys = joined
		parts++
	}
	if !found {
		return nil
	}
	return keys
}

// first returns the first subject of ev, or "".
func (s subject) first(ev *ingest.Event) string {
	if all := s.of(ev); len(all) > 0 {
		return all[0]
	}
	return ""
}

// of returns the values of one part, at least one, which may be empty.
func (p *part) of(ev *ingest.Event) []string {
	if p.tenant {
		return []string{ev.Tenant}
	}
	if p.computed != nil {
		return p.calculate(ev)
	}
	for _, path := range p.paths {
		var out []string
		for _, v := range ev.Doc.Values(path, nil) {
			if text := p.cut(v.Text); text != "" && v.Scalar() && len(out) < maxSubjects {
				out = append(out, text)
			}
		}
		if len(out) > 0 && !p.each {
			return out[:1]
		}
		if len(out) > 0 {
			return out
		}
	}
	return []string{""}
}

// out reports whether the part is no part of the event's key.
func (p *part) out(ev *ingest.Event) bool {
	return p.when != nil && ev.Doc.Text(p.when) == "" || p.unless != nil && ev.Doc.Text(p.unless) != ""
}

// calculate returns the values of a computed part.
func (p *part) calculate(ev *ingest.Event) []string {
	var out []string
	for _, v := range p.computed.append(nil, ev) {
		if text := p.cut(v.Text); text != "" && len(out) < maxSubjects {
			out = append(out, text)
		}
	}
	switch {
	case len(out) == 0:
		return []string{""}
	case !p.each:
		return out[:1]
	}
	return out
}

// maxSubjects bounds what one event can open.
const maxSubjects = 64

// cut trims a value to what identifies the subject.
func (p *part) cut(v string) string {
	v = strings.TrimSpace(v)
	if p.after != "" {
		i := strings.LastIndex(lowerASCII(v), p.after)
		if i < 0 {
			return ""
		}
		v = v[i+len(p.after):]
	}
	for _, marker := range p.before {
		if i := strings.Index(lowerASCII(v), marker); i >= 0 {
			v = v[:i]
		}
	}
	if p.object {
		v = vaultObject(v)
	}
	return v
}

// lowerASCII returns s with ASCII letters in lower case and all else in its
// place: unlike strings.ToLower, of bytes that are not UTF-8 too.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// vaultObject returns the address of a key, secret or certificate as long as it
// lives: a deleted one is named https://V/deletedkeys/K, a version of it
// https://V/keys/K/VERSION.
func vaultObject(id string) string {
	scheme, rest, found := strings.Cut(id, "://")
	if !found {
		return id
	}
	steps := strings.Split(rest, "/")
	if len(steps) < 3 {
		return id
	}
	steps[1] = strings.TrimPrefix(steps[1], "deleted")
	return scheme + "://" + strings.Join(steps[:3], "/")
}
