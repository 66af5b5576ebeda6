package detectors

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
)

// linker ties correlations to the rules that they name.
type linker struct {
	b       *builder
	halves  map[string][]*half      // by id, name, entry, and these + ":restored" or ":failed"; "*" is all entries
	inner   map[string]*correlation // by id, name and entry
	done    map[*correlation]bool
	ordered []*correlation // inner ones before those that name them
}

// correlate compiles the correlations of a set and ties them to the rules.
func (b *builder) correlate(set *Set, p *documents) error {
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
	add := func(name string, h *half) {
		if h != nil {
			l.halves[name] = append(l.halves[name], h)
		}
	}
	entry := entryOf(&sr.Meta)
	for _, name := range []string{sr.ID, sr.Name, entry} {
		if name != "" {
			add(name, r.weakens())
			add(name+failedSuffix, r.weakens().attempted())
			add(name+restoredSuffix, r.restores())
		}
	}
	if entry == "" {
		return
	}
	add(everyEntry, r.weakens())
	if !r.presumes() {
		add(everyEntry+failedSuffix, r.weakens().attempted())
	}
	add(everyEntry+restoredSuffix, r.restores())
}

// link builds the feeders of a correlation and, before it, of those it names.
func (l *linker) link(c *correlation) error {
	if l.done[c] {
		return nil
	}
	l.done[c] = true
	if err := l.checkSpecial(c); err != nil {
		return err
	}
	if err := l.checkParts(c); err != nil {
		return err
	}
	for i, name := range c.doc.Rules {
		place := uint8(0)
		if c.doc.Ranked() {
			place = uint8(i)
		}
		if inner := l.inner[name]; inner != nil {
			if err := l.link(inner); err != nil {
				return err
			}
			if err := l.chain(c, place, name, inner); err != nil {
				return err
			}
			continue
		}
		if len(l.halves[name]) == 0 {
			if strings.HasSuffix(name, failedSuffix) {
				return c.doc.Errorf("the correlation names %q, and the rule does not ask for success: leave out :failed", name)
			}
			return c.doc.Errorf("the correlation names %q, and no rule has something that restores it: leave out :restored, or give the rule the key restored", name)
		}
		for _, h := range l.halves[name] {
			f, err := l.b.feeder(c, place, h, []step{{c, name}})
			if err != nil {
				return err
			}
			h.feeders = append(h.feeders, f)
		}
	}
	c.name, c.id = journalName(c)
	if c.restoresParts() {
		return nil // without windows
	}
	l.ordered = append(l.ordered, c)
	return nil
}

// chain makes what feeds inner feed c too, when inner's condition holds.
func (l *linker) chain(c *correlation, place uint8, name string, inner *correlation) error {
	c.inner = append(c.inner, inner)
	for _, below := range inner.feeders {
		f, err := l.b.feeder(c, place, below.from, append(slices.Clip(below.steps), step{c, name}))
		if err != nil {
			return err
		}
		below.parents = append(below.parents, f)
	}
	return nil
}

// journalName names what the journal keeps of c: as long as this is the same,
// windows may be built from it.
func journalName(c *correlation) (string, uint64) {
	h := fnv.New64a()
	d := c.doc
	fmt.Fprintf(h, "%q %v %v %q %q %q %q", d.ID, d.Ranked(), d.Numeric(), d.Rules, d.GroupBy, d.Field, c.rule.Entry)
	for _, alias := range slices.Sorted(maps.Keys(d.Aliases)) {
		for _, rule := range slices.Sorted(maps.Keys(d.Aliases[alias])) {
			fmt.Fprintf(h, " %q", []string{alias, rule, d.Aliases[alias][rule]})
		}
	}
	if c.key != nil && len(c.key.Parts) > 0 {
		fmt.Fprintf(h, " parts %q", c.key.Parts)
	}
	return fmt.Sprintf("%s/%016x", c.rule.Entry, h.Sum64()), h.Sum64()
}
