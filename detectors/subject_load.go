package detectors

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/strict"
)

// keyPartYAML is a part as a rule writes it when a path alone does not do. With
// each: true every value makes a subject, and with split: ';,' every value in a
// text that lists several: Exchange and the compliance centre write "a;b". The
// first of the characters that stands in a text separates all of it; a comma with
// a blank behind it does not, for it is part of a name.
type keyPartYAML struct {
	Field    string `yaml:"field"`
	Before   string `yaml:"before"`
	After    string `yaml:"after"`
	Each     bool   `yaml:"each"`
	Split    string `yaml:"split"`
	Optional bool   `yaml:"optional"`
	As       string `yaml:"as"` // vault-object
	If       string `yaml:"if"`
	Unless   string `yaml:"unless"`
}

// subject reads a subject: a field, alternatives "a | b", a map
// {field, before, after, each, split, …}, or a list of these.
func (b *builder) subject(file string, n *yaml.Node) (subject, error) {
	if n.IsZero() {
		return nil, nil
	}
	n = strict.Resolve(n)
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	var s subject
	for _, item := range items {
		p, err := b.keyPart(file, item)
		if err != nil {
			return nil, err
		}
		s = append(s, p)
	}
	return s, nil
}

func (b *builder) keyPart(file string, n *yaml.Node) (keyPart, error) {
	n = strict.Resolve(n)
	m := keyPartYAML{Field: n.Value}
	if n.Kind == yaml.MappingNode {
		if err := n.Load(&m, yaml.WithKnownFields(true)); err != nil {
			return keyPart{}, at(file, n, "subject: %v", err)
		}
	}
	p := keyPart{after: strings.ToLower(m.After), each: m.Each, split: m.Split, optional: m.Optional, object: m.As != "", when: -1, unless: -1}
	if p.tenant = m.Field == "tenant"; p.tenant {
		return p, nil
	}
	if m.As != "" && m.As != "vault-object" {
		return keyPart{}, at(file, n, "subject: as: %q: use vault-object", m.As)
	}
	if err := p.splits(); err != nil {
		return keyPart{}, at(file, n, "subject: %v", err)
	}
	if m.Before != "" {
		p.before = strings.Split(strings.ToLower(m.Before), " | ")
	}
	alternatives := strings.Split(m.Field, " | ")
	computed, err := fields.Computed(m.Field, b.options.Placeholders)
	if computed {
		alternatives = []string{m.Field}
	}
	for _, field := range alternatives {
		var slot int
		if err == nil {
			slot, err = b.read(strings.TrimSpace(field))
			p.slots = append(p.slots, slot)
		}
	}
	if m.If != "" && err == nil {
		p.when, err = b.read(m.If)
	}
	if m.Unless != "" && err == nil {
		p.unless, err = b.read(m.Unless)
	}
	if err != nil {
		return keyPart{}, at(file, n, "subject: %v", err)
	}
	return p, nil
}

// read returns the slot of a field that a rule reads outside its detections.
func (b *builder) read(field string) (int, error) {
	return b.options.Fields.Slot(field), fields.Check(field, b.options.Placeholders)
}
