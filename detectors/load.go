package detectors

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
)

// Source is a tree of rule files: the catalog, or an operator's folder.
type Source struct {
	Name string // shown in errors before the file's path; empty for the catalog
	FS   fs.FS
}

// Set is a checked set of rules, ready for New.
type Set struct {
	Rules    []*Rule
	Warnings []error // what loads but is probably not meant
	fields   *sigma.Fields
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

// Load reads every .yml and .yaml file of the sources, later ones overriding
// earlier ones by rule id. lists feeds the placeholders of the rules. Every
// error is collected, each with file, line and remedy; on any error the set is nil.
func Load(lists map[string][]string, sources ...Source) (*Set, error) {
	set := &Set{fields: new(sigma.Fields)}
	b := &builder{options: sigma.Options{Fields: set.fields, Placeholders: lists}}
	byID := map[string]*Rule{}
	var errs []error
	for _, src := range sources {
		rules, err := b.loadSource(src)
		errs = append(errs, err)
		for _, r := range rules {
			if old := byID[r.ID]; r.ID != "" && old != nil {
				set.Rules[slices.Index(set.Rules, old)] = r
			} else {
				set.Rules = append(set.Rules, r)
			}
			byID[r.ID] = r
		}
	}
	errs = append(errs, uniqueEntries(set.Rules))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return set, nil
}

func (b *builder) loadSource(src Source) ([]*Rule, error) {
	var rules []*Rule
	var errs []error
	err := fs.WalkDir(src.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ext := path.Ext(name); d.IsDir() || (ext != ".yml" && ext != ".yaml") {
			return nil
		}
		data, err := fs.ReadFile(src.FS, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("read rule %s: %w", path.Join(src.Name, name), err))
			return nil
		}
		loaded, err := b.loadFile(path.Join(src.Name, name), data)
		rules, errs = append(rules, loaded...), append(errs, err)
		return nil
	})
	if err != nil {
		errs = append(errs, fmt.Errorf("read rules in %s: %w", src.Name, err))
	}
	return rules, errors.Join(errs...)
}

func (b *builder) loadFile(name string, data []byte) ([]*Rule, error) {
	docs, err := sigma.Parse(name, data)
	if err != nil {
		return nil, err
	}
	var rules []*Rule
	var errs []error
	for _, d := range docs {
		sr, ok := d.(*sigma.Rule)
		if !ok {
			errs = append(errs, &sigma.Error{File: name, Msg: fmt.Sprintf("%T documents are not evaluated yet: move it out of the rule folder", d)})
			continue
		}
		r, err := b.build(sr)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		rules = append(rules, r)
	}
	return rules, errors.Join(errs...)
}

// uniqueEntries refuses two rules of one entry: their findings could not be told apart.
func uniqueEntries(rules []*Rule) error {
	var errs []error
	file := map[string]string{}
	for _, r := range rules {
		if other, ok := file[r.Entry]; ok {
			errs = append(errs, &sigma.Error{File: r.File, Msg: fmt.Sprintf(
				"entry %q is also defined in %s: give one of them another safeguard.entry, or the same id to override it", r.Entry, other)})
		}
		file[r.Entry] = r.File
	}
	return errors.Join(errs...)
}

// knownLogSources lists what a rule may name, for error messages.
func knownLogSources() string {
	var names []string
	for k := range logSources {
		if product, service, _ := strings.Cut(k, "/"); service != "" {
			names = append(names, product+"/"+service)
		}
	}
	slices.SortFunc(names, cmp.Compare)
	return strings.Join(names, ", ")
}
