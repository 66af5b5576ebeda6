package detectors

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"phiwatch/detectors/sigma"
)

// documents are those of a set, sorted, and what they are to each other, before any of
// them is compiled.
type documents struct {
	rules        []*sigma.Rule
	correlations []*sigma.Correlation
	filters      []*sigma.Filter
	named        map[string]bool // ids, names and entries that correlations name; true: they report all the same (generate)
	built        map[*sigma.Rule]*Rule
	owners       map[string]*sigma.Meta // the document of a file whose entry is the file's name
}

// sortDocuments sorts them; a later rule or correlation takes the place of an
// earlier one with the same id.
func sortDocuments(docs []sigma.Document) *documents {
	p := &documents{named: map[string]bool{}, built: map[*sigma.Rule]*Rule{}, owners: map[string]*sigma.Meta{}}
	last := map[string]int{}
	for i, d := range docs {
		if id := strings.ToLower(d.Head().ID); id != "" {
			last[id] = i
		}
	}
	for i, d := range docs {
		id := strings.ToLower(d.Head().ID)
		switch d := d.(type) {
		case *sigma.Filter:
			p.filters = append(p.filters, d)
		case *sigma.Rule:
			if id == "" || last[id] == i {
				p.rules = append(p.rules, d)
			}
		case *sigma.Correlation:
			if id == "" || last[id] == i {
				p.correlations = append(p.correlations, d)
			}
		}
	}
	for _, c := range p.correlations {
		for _, name := range c.Rules {
			p.named[name] = p.named[name] || c.Generate
		}
	}
	p.own(func(m *sigma.Meta) bool { return !p.isNamed(m) })
	p.own(func(m *sigma.Meta) bool { return !p.silent(m) })
	return p
}

// own gives files that have no owner yet their first document without a
// safeguard key that qualifies, correlations first.
func (p *documents) own(qualifies func(*sigma.Meta) bool) {
	var all []*sigma.Meta
	for _, c := range p.correlations {
		all = append(all, &c.Meta)
	}
	for _, r := range p.rules {
		all = append(all, &r.Meta)
	}
	for _, m := range all {
		if p.owners[m.File] == nil && m.Extra["safeguard"] == nil && qualifies(m) {
			p.owners[m.File] = m
		}
	}
}

// isNamed reports whether a correlation names the document.
func (p *documents) isNamed(m *sigma.Meta) bool {
	_, byID := p.named[m.ID]
	_, byName := p.named[m.Name]
	return m.ID != "" && byID || m.Name != "" && byName
}

const (
	restoredSuffix = ":restored"
	failedSuffix   = ":failed" // the entry's detection holds, but what it looks for was refused or failed
	everyEntry     = "*"
)

// entryOf reads safeguard.entry; what is wrong with it is told when the document
// is compiled.
func entryOf(m *sigma.Meta) string {
	var s struct {
		Entry string `yaml:"entry"`
	}
	if n := m.Extra["safeguard"]; n == nil || n.Load(&s) != nil {
		return ""
	}
	return s.Entry
}

// check looks at the references between documents. Entries are names too.
func (p *documents) check() error {
	var docs []sigma.Document
	entries := map[string]bool{}
	add := func(d sigma.Document) {
		docs = append(docs, d)
		m := d.Head()
		if e := entryOf(m); e != "" && e != m.Name && e != m.ID && !entries[e] {
			entries[e] = true
			docs = append(docs, asEntry(d, e))
		}
	}
	for _, r := range p.rules {
		add(r)
	}
	for _, c := range p.correlations {
		named := *c
		named.Rules = nil
		for _, name := range c.Rules {
			name = strings.TrimSuffix(strings.TrimSuffix(name, restoredSuffix), failedSuffix)
			if name != everyEntry {
				named.Rules = append(named.Rules, name)
			}
		}
		add(&named)
	}
	for _, f := range p.filters {
		docs = append(docs, f)
	}
	var errs []error
	for _, err := range sigma.CheckReferences(docs) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// asEntry is a document that stands for d under its entry.
func asEntry(d sigma.Document, entry string) sigma.Document {
	switch d := d.(type) {
	case *sigma.Rule:
		alias := *d
		alias.ID, alias.Name = "", entry
		return &alias
	case *sigma.Correlation:
		alias := *d
		alias.ID, alias.Name = "", entry
		return &alias
	}
	return d
}

// silent reports whether a document only serves correlations: it is named by
// one, has no safeguard key, and none of them asks for its own reports.
func (p *documents) silent(m *sigma.Meta) bool {
	return m.Extra["safeguard"] == nil && p.isNamed(m) && !p.named[m.ID] && !p.named[m.Name]
}

// entry names a document without a safeguard key: by its file, or by that and
// its own name or line.
func (p *documents) entry(m *sigma.Meta) string {
	base := strings.TrimSuffix(path.Base(m.File), path.Ext(m.File))
	switch {
	case p.owners[m.File] == m:
		return base
	case m.Name != "":
		return base + ":" + m.Name
	}
	return fmt.Sprintf("%s:%d", base, m.Line)
}

// add puts a compiled rule where it belongs.
func (p *documents) add(set *Set, sr *sigma.Rule, r *Rule) {
	p.built[sr] = r
	if sr.Extra["safeguard"] == nil {
		r.Entry = p.entry(&sr.Meta)
	}
	if !p.silent(&sr.Meta) {
		set.Rules = append(set.Rules, r)
		return
	}
	for i := range r.halves {
		r.halves[i].silent = true
	}
	set.silent = append(set.silent, r)
}
