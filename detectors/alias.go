package detectors

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
)

// Some events know a subject by another name: a policy that is made again has
// another id but the old name, the cmdlet that removes a hold does not know the
// case. A rule says so with
//
//	safeguard:
//	  alias: {names: [SUBJECT, …], used: DETECTION}
//
// The subject of an event is known by each of the names from then on. An event
// of the detection used is about the subjects that are known by its names; a
// restore that comes first is kept for them for as long as records may be late.
//
// A weakening is of the violation that was reported first: of that of its subject, or
// of one that is known by its names. Where there is none yet it is reported under its
// own subject, and stays so: people have heard of it by that name, and when it
// turns out whose it is, what that one loses and regains is of this violation. So
// there is one violation in every order of arrival, and it is called by the name
// that was heard first. Two that were reported before a record shows that they are one
// stay two, and what restores one restores both.
//
// A name may be that of many, as a site is of its files. Where the detection
// used does nothing but restore, only: restored makes that only what was weakened
// is known by its names: most files never are.
type alias struct {
	names    []subject
	used     *sigma.Matcher
	restores bool    // what is used never weakens
	to       subject // of a rename: the new name; nil: they are not followed
}

type aliasYAML struct {
	Names []yaml.Node `yaml:"names"`
	Used  yaml.Node   `yaml:"used"`
	Only  string      `yaml:"only"`

	Renamed renamedYAML `yaml:"renamed"`
}

// alias reads safeguard.alias.
func (b *builder) alias(sr *sigma.Rule, n *yaml.Node) (*alias, error) {
	if n.IsZero() {
		return nil, nil
	}
	var y aliasYAML
	if err := n.Load(&y, yaml.WithKnownFields(true)); err != nil {
		return nil, at(sr.File, n, "safeguard.alias: %v", err)
	}
	if len(y.Names) == 0 || y.Used.IsZero() {
		return nil, at(sr.File, n, "safeguard.alias: write {names: [SUBJECT], used: DETECTION}")
	}
	if y.Only != "" && y.Only != string(Restored) {
		return nil, at(sr.File, n, "safeguard.alias: only: %q: use restored, or leave it out", y.Only)
	}
	a := &alias{restores: y.Only != ""}
	for i := range y.Names {
		s, err := b.subject(sr.File, &y.Names[i])
		if err != nil {
			return nil, err
		}
		a.names = append(a.names, s)
	}
	var err error
	a.used, err = b.detection(sr, &y.Used)
	return a, err
}

// of returns the other names that an event has for its subject, case-folded,
// and whether they may be all it knows.
func (a *alias) of(s *scope) (names []string, used bool) {
	for _, name := range a.names {
		s.feed.buf = fields.AppendLower(s.feed.buf[:0], name.first(s))
		if text := string(s.feed.buf); text != "" && !slices.Contains(names, text) {
			names = append(names, text)
		}
	}
	return names, a.used.Match(s)
}
