package fields

import (
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// Rules that others share name fields as some product of theirs does: as Log
// Analytics calls its columns, as the portal heads its tables, as an article
// put it. A mapping says where records, as they are delivered, have what is
// meant, so that such rules match unchanged.

// Mapping translates the field names of one log source for one family of
// records. A name that it does not hold and that the record has at its root
// stays; a name that the record has in its properties gets that prefix.
type Mapping struct {
	names    map[string]string // lower-cased name → path or computed field
	prefixes map[string]string // lower-cased beginning of a name, with its dot → what stands in its place
	schema   *schema
}

// Rename returns the path or computed field that a name stands for.
func (m *Mapping) Rename(field string) string {
	low := strings.ToLower(field)
	if to, ok := m.names[low]; ok {
		return to
	}
	for prefix, to := range m.prefixes {
		if strings.HasPrefix(low, prefix) {
			return to + field[len(prefix):]
		}
	}
	return m.schema.path(field)
}

// Keep is Rename for a rule with a safeguard key, whose names are paths where
// the record has them and are only mapped where it has not.
func (m *Mapping) Keep(field string) string {
	if m.schema.root(field) {
		return field
	}
	return m.Rename(field)
}

// Doubtful reports whether no record can have a field, by its path, and what was
// probably meant, or "".
func (m *Mapping) Doubtful(path string) (meant string, doubtful bool) { return m.schema.doubtful(path) }

// View is how the rules of a log source see the events of some kinds.
type View struct {
	Kinds []ingest.Kind
	*Mapping
	// when says whether a rule has business with events that are not its log
	// source's own; nil for those that are.
	when func(d *sigma.Detection, requires func(field string) []sigma.Requirement) bool
}

// Wants reports whether a rule has business with the events of the view; requires
// returns what it requires of a field.
func (v *View) Wants(d *sigma.Detection, requires func(field string) []sigma.Requirement) bool {
	return v.when == nil || v.when(d, requires)
}

// uses makes a condition of a view: the rule names the field.
func uses(field string) func(*sigma.Detection, func(string) []sigma.Requirement) bool {
	return func(d *sigma.Detection, _ func(string) []sigma.Requirement) bool {
		for _, name := range d.Fields() {
			if strings.EqualFold(name, field) {
				return true
			}
		}
		return false
	}
}

// asksFor makes a condition of a view: the rule requires something of the
// field, and one of the texts, which are lower-cased, would do.
func asksFor(field string, texts []string) func(*sigma.Detection, func(string) []sigma.Requirement) bool {
	return func(_ *sigma.Detection, requires func(string) []sigma.Requirement) bool {
		list := requires(field)
		return len(list) > 0 && slices.ContainsFunc(texts, func(text string) bool {
			return !slices.ContainsFunc(list, func(r sigma.Requirement) bool { return !allows(r, text) })
		})
	}
}

// allows reports whether a field with a text meets a requirement.
func allows(r sigma.Requirement, text string) bool {
	return r.Kind == sigma.Present || slices.ContainsFunc(r.Values, func(want string) bool {
		return want == text || r.Kind == sigma.Substring && strings.Contains(text, want)
	})
}

// ViewsOf returns the views of a log source, or false if phiwatch never sees
// such events. A category alone is never one of Microsoft's audit feeds;
// beside a product it narrows nothing.
func ViewsOf(l sigma.LogSource) ([]View, bool) {
	v, ok := logSources[strings.ToLower(l.Product+"/"+l.Service)]
	return v, ok
}

// LogSources lists the products and services that phiwatch reads, sorted.
func LogSources() []string {
	var names []string
	for name := range logSources {
		if _, service, _ := strings.Cut(name, "/"); service != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// KindsOf returns the kinds that a log source reads by its name.
func KindsOf(l sigma.LogSource) ([]ingest.Kind, bool) {
	views, ok := ViewsOf(l)
	var kinds []ingest.Kind
	for _, v := range views {
		if v.when == nil {
			kinds = append(kinds, v.Kinds...)
		}
	}
	return kinds, ok
}

// MappingOf returns the mapping that all the kinds share, or nil.
func MappingOf(kinds []ingest.Kind) *Mapping {
	var shared *Mapping
	for i, k := range kinds {
		m := kindMappings[k]
		if i > 0 && m != shared {
			return nil
		}
		shared = m
	}
	return shared
}
