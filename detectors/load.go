package detectors

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
)

// Source is a tree of rule files: the catalog, or an operator's folder.
type Source struct {
	Name string // shown in errors before the file's path; empty for the catalog
	FS   fs.FS
	Root string // the file or folder of FS to read; empty: all of it
}

// Set is a checked set of rules, ready for New.
type Set struct {
	Rules    []*Rule
	Disabled []*Rule      // switched off by Tune
	Clock    []*ClockRule // what goes by the clock, in force or not; set by Tune
	Warnings []error      // what loads but is probably not meant
	fields   *sigma.Fields
	lists    map[string][]string

	silent       []*Rule        // only correlations name them
	correlations []*correlation // inner ones before those that name them
}

// Entries returns the catalog ids of the set, sorted, each once.
func (s *Set) Entries() []string {
	var out []string
	for _, r := range s.Rules {
		out = append(out, r.Entry)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Safeguards returns the primary seed codes of the set, sorted, each once.
func (s *Set) Safeguards() []string {
	var out []string
	for _, r := range s.Rules {
		out = append(out, r.Safeguard())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Load reads every .yml and .yaml file of the sources, later ones overriding
// earlier ones by rule id; filters apply to the rules they name, wherever they
// stand. lists feeds the placeholders of the rules. Every error is collected,
// each with file, line and remedy; on any error the set is nil.
func Load(lists map[string][]string, sources ...Source) (*Set, error) {
	var docs []sigma.Document
	var errs []error
	for _, src := range sources {
		found, err := parseSource(src)
		docs, errs = append(docs, found...), append(errs, err)
	}
	set := &Set{fields: new(sigma.Fields), lists: lists}
	b := &builder{entries: map[string]*correlationKey{}, options: sigma.Options{Fields: set.fields, Placeholders: lists}}
	p := sortDocuments(docs)
	b.filters = p.filters
	if errors.Join(errs...) == nil { // else what is named may be missing
		errs = append(errs, p.check())
	}
	operators, err := newTrusted(lists[TrustedOperators])
	errs = append(errs, err)
	for _, sr := range p.rules {
		r, err := b.build(sr)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r.trusted = operators
		r.lists = b.listsIn(sr)
		b.warnUnset(sr, r.lists)
		p.add(set, sr, r)
	}
	if errors.Join(errs...) == nil {
		errs = append(errs, b.correlate(set, p))
	}
	errs = append(errs, uniqueEntries(set.Rules))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	set.Warnings = b.warnings
	return set, nil
}

// parseSource parses the rule files of one source.
func parseSource(src Source) ([]sigma.Document, error) {
	var docs []sigma.Document
	var errs []error
	err := fs.WalkDir(src.FS, cmp.Or(src.Root, "."), func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ext := path.Ext(name); d.IsDir() || (ext != ".yml" && ext != ".yaml") {
			return nil
		}
		data, err := fs.ReadFile(src.FS, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("read rule: %w; make the file readable or take it out of the folder", err))
			return nil
		}
		found, err := sigma.Parse(path.Join(src.Name, name), data)
		docs, errs = append(docs, found...), append(errs, err)
		return nil
	})
	if err != nil {
		errs = append(errs, fmt.Errorf("read rules in %s: %w", src.Name, err))
	}
	return docs, errors.Join(errs...)
}

// uniqueEntries refuses two rules of one entry: their findings could not be told apart.
func uniqueEntries(rules []*Rule) error {
	var errs []error
	first := map[string]*Rule{}
	for _, r := range rules {
		if other, ok := first[r.Entry]; ok {
			errs = append(errs, &sigma.Error{File: r.File, Line: r.at.line, Column: r.at.column, Msg: fmt.Sprintf(
				"entry %q is also defined in %s:%d: give one of them another safeguard.entry, or the same id to override it", r.Entry, other.File, other.at.line)})
		}
		first[r.Entry] = r
	}
	return errors.Join(errs...)
}

// knownLogSources lists what a rule may name, for error messages.
func knownLogSources() string { return strings.Join(fields.LogSources(), ", ") }
