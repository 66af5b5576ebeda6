package detectors

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
)

// plan is what the documents of a set are to each other, before any of them is
// compiled.
type plan struct {
	rules        []*sigma.Rule
	correlations []*sigma.Correlation
	filters      []*sigma.Filter
	named        map[string]bool // ids, names and entries that correlations name; true: they report all the same (generate)
	built        map[*sigma.Rule]*Rule
	owners       map[string]*sigma.Meta // the document of a file whose entry is the file's name
}

// newPlan sorts documents; a later rule or correlation takes the place of an
// earlier one with the same id.
func newPlan(docs []sigma.Document) *plan {
	p := &plan{named: map[string]bool{}, built: map[*sigma.Rule]*Rule{}, owners: map[string]*sigma.Meta{}}
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
func (p *plan) own(qualifies func(*sigma.Meta) bool) {
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
func (p *plan) isNamed(m *sigma.Meta) bool {
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
func (p *plan) check() error {
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
func (p *plan) silent(m *sigma.Meta) bool {
	return m.Extra["safeguard"] == nil && p.isNamed(m) && !p.named[m.ID] && !p.named[m.Name]
}

// entry names a document without a safeguard key: by its file, or by that and
// its own name or line.
func (p *plan) entry(m *sigma.Meta) string {
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
func (p *plan) add(set *Set, sr *sigma.Rule, r *Rule) {
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

// correlate compiles the correlations of a plan and ties them to the rules.
func (b *builder) correlate(set *Set, p *plan) error {
	l := &linker{b: b, halves: map[string][]*half{}, inner: map[string]*correlation{}, done: map[*correlation]bool{}}
	for _, sr := range p.rules {
		l.addRule(sr, p.built[sr])
	}
	var all []*correlation
	var errs []error
	for _, doc := range p.correlations {
		c, err := b.correlation(doc)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		c.reports = !p.silent(&doc.Meta)
		if c.rule.Entry == "" {
			c.rule.Entry = p.entry(&doc.Meta)
		}
		for _, name := range []string{doc.ID, doc.Name, entryOf(&doc.Meta)} {
			if l.inner[name] == nil && name != "" {
				l.inner[name] = c
			}
		}
		all = append(all, c)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	restorable := map[string]bool{}
	for _, c := range all {
		restorable[c.doc.File+"#"+c.rule.Entry] = restorable[c.doc.File+"#"+c.rule.Entry] || c.state == Restored
	}
	for _, c := range all {
		c.rule.Restorable = restorable[c.doc.File+"#"+c.rule.Entry]
		if err := l.link(c); err != nil {
			errs = append(errs, err)
		}
		b.warnings = append(b.warnings, c.warnings()...)
		shared := slices.ContainsFunc(set.Rules, func(r *Rule) bool { return r.correlation != nil && r.File == c.rule.File && r.Entry == c.rule.Entry })
		if c.reports && !shared {
			set.Rules = append(set.Rules, c.rule)
		}
	}
	set.correlations = l.ordered
	return errors.Join(errs...)
}

// warnings are the document's, but for aliases that only its safeguard key uses.
func (c *correlation) warnings() []error {
	var out []error
	for _, w := range c.doc.Warnings {
		if c.key == nil || !slices.ContainsFunc(c.key.fields(), func(f string) bool {
			return strings.HasPrefix(w.Msg, fmt.Sprintf("alias %q is not used", f))
		}) {
			out = append(out, w)
		}
	}
	return out
}

// addRule makes a rule's halves known under the names that correlations use.
func (l *linker) addRule(sr *sigma.Rule, r *Rule) {
	entry := entryOf(&sr.Meta)
	for _, name := range []string{sr.ID, sr.Name, entry} {
		if name == "" {
			continue
		}
		l.halves[name] = append(l.halves[name], &r.halves[0])
		if h := r.halves[0].attempted(); h != nil {
			l.halves[name+failedSuffix] = append(l.halves[name+failedSuffix], h)
		}
		if len(r.halves) > 1 && r.halves[1].state == Restored {
			l.halves[name+restoredSuffix] = append(l.halves[name+restoredSuffix], &r.halves[1])
		}
	}
	if entry == "" {
		return
	}
	l.halves[everyEntry] = append(l.halves[everyEntry], &r.halves[0])
	if h := r.halves[0].attempted(); h != nil && !r.presumes() {
		l.halves[everyEntry+failedSuffix] = append(l.halves[everyEntry+failedSuffix], h)
	}
	if len(r.halves) > 1 && r.halves[1].state == Restored {
		l.halves[everyEntry+restoredSuffix] = append(l.halves[everyEntry+restoredSuffix], &r.halves[1])
	}
}
