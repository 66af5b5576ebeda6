package main

import (
	"fmt"
	"slices"
	"strings"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

// resourceLogs are what Azure services write that have no kind of their own.
var resourceLogs = detectors.Feed{
	Kind: ingest.Unknown, Name: "Azure resource logs of storage accounts, and of other services that your own rules read",
	Setting:    "Azure portal > the storage account > Monitoring > Diagnostic settings > blob > Add, for every account with PHI, stream to an event hub",
	Categories: []string{"StorageRead", "StorageWrite"},
	Note:       "counted as unknown, with all else that is of no kind above; there is one record for each request",
}

// newCoverage puts the table together. Without lists there is no configuration
// that could have set any, and rules that need one count as watching; seen is
// nil when no daemon was asked.
func newCoverage(set *detectors.Set, lists map[string][]string, seen *seenEvents) *coverage {
	c := &coverage{Checked: seen}
	rules := slices.Concat(set.Rules, set.Disabled)
	rest := slices.Clone(rules)
	for _, s := range detectors.Seeds() {
		row := coveredSafeguard{Code: s.Code, System: s.System, Safeguard: s.Safeguard, HIPAA: s.HIPAA}
		row.fill(slices.DeleteFunc(slices.Clone(rules), func(r *detectors.Rule) bool { return !slices.Contains(r.Safeguards, s.Code) }), set.Clock, lists, seen)
		c.Safeguards = append(c.Safeguards, row)
		rest = slices.DeleteFunc(rest, func(r *detectors.Rule) bool { return slices.Contains(r.Safeguards, s.Code) })
	}
	if len(rest) > 0 {
		row := coveredSafeguard{Code: "other", System: "Rules that name none of these safeguards"}
		row.fill(rest, nil, lists, seen)
		c.Safeguards = append(c.Safeguards, row)
	}
	for _, f := range detectors.Feeds() {
		c.Sources = append(c.Sources, newCoveredSource(f, set.Rules, seen))
	}
	if other := newCoveredSource(resourceLogs, set.Rules, seen); other.Entries > 0 {
		c.Sources = append(c.Sources, other)
	}
	c.Lists = coveredLists(set.Rules, lists)
	return c
}

// fill adds the rules of a row to it, and of what goes by the clock that which
// watches its safeguard, and judges it.
func (s *coveredSafeguard) fill(rules []*detectors.Rule, clock []*detectors.ClockRule, lists map[string][]string, seen *seenEvents) {
	s.Sources, s.Missing = []string{}, []string{}
	for _, r := range rules {
		s.Entries = append(s.Entries, newCoveredEntry(r, lists, seen))
	}
	for _, c := range clock {
		if slices.Contains(c.Safeguards, s.Code) {
			s.Entries = append(s.Entries, newClockEntry(c))
		}
	}
	var n struct{ disabled, blind, wanting, watching, partly int }
	unset, unseen := map[string]bool{}, map[string]bool{}
	for _, e := range s.Entries {
		switch {
		case !e.Enabled:
			n.disabled++
			continue
		case e.Blind && (e.Watching || e.Partly):
			n.wanting++
		case e.Blind:
			n.blind++
		}
		if e.Watching {
			n.watching++
		}
		if e.Partly {
			n.partly++
		}
		for _, name := range e.Needs {
			unset[name] = true
		}
		for _, kind := range e.Unseen {
			unseen[kind] = true
		}
		s.Sources = append(append(s.Sources, e.Sources...), e.Restores...)
	}
	s.Sources = inOrderOfKinds(s.Sources)
	all := len(s.Entries)
	switch {
	case all == 0 || n.watching+n.partly == 0:
		s.Covered = uncovered
	case n.watching == all:
		s.Covered = covered
	default:
		s.Covered = partly
	}
	s.miss(all == 0, "no rule")
	s.miss(n.disabled > 0, fmt.Sprintf("%d of %d disabled", n.disabled, all))
	s.miss(n.blind > 0, fmt.Sprintf("%d of %d blind%s", n.blind, all, listed(" without ", unset)))
	s.miss(n.wanting > 0, fmt.Sprintf("%d of %d%s", n.wanting, all, listed(" only with ", unset)))
	for _, kind := range inOrderOfKinds(sortedKeys(unseen)) {
		s.miss(true, "no "+kind+" event seen")
	}
}

func (s *coveredSafeguard) miss(missing bool, what string) {
	if missing {
		s.Missing = append(s.Missing, what)
	}
}

// newClockEntry describes what needs no event: it watches if it is in force.
func newClockEntry(c *detectors.ClockRule) coveredEntry {
	on := c.DisabledBy() == ""
	return coveredEntry{
		Entry: c.Entry, Title: c.Title, Severity: c.Severity.String(), Enabled: on, DisabledBy: c.DisabledBy(), Watching: on,
		Sources: []string{}, Restores: []string{},
	}
}

// listed names lists after a word, or nothing.
func listed(word string, lists map[string]bool) string {
	if len(lists) == 0 {
		return ""
	}
	return word + strings.Join(sortedKeys(lists), ", ")
}

func newCoveredEntry(r *detectors.Rule, lists map[string][]string, seen *seenEvents) coveredEntry {
	e := coveredEntry{
		Entry: r.Entry, Title: r.Title, Severity: r.Severity.String(), Enabled: r.DisabledBy() == "", DisabledBy: r.DisabledBy(),
		Blind: r.Blind(), Sources: kindNames(r.Kinds()), Restores: kindNames(r.RestoreKinds()),
	}
	if e.Blind {
		e.Needs = emptyOf(r.Lists(), lists)
	}
	weakenedSeen := true
	if seen != nil {
		e.Unseen = slices.DeleteFunc(inOrderOfKinds(append(slices.Clone(e.Sources), e.Restores...)), seen.saw)
		weakenedSeen = slices.ContainsFunc(e.Sources, seen.saw)
	}
	able := e.Enabled && (!e.Blind || lists == nil && len(e.Needs) > 0)
	e.Watching = able && len(e.Unseen) == 0
	e.Partly = able && !e.Watching && weakenedSeen
	return e
}

func emptyOf(names []string, lists map[string][]string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return len(lists[name]) > 0 })
}

func newCoveredSource(f detectors.Feed, rules []*detectors.Rule, seen *seenEvents) coveredSource {
	s := coveredSource{Kind: f.Kind.String(), Name: f.Name, Setting: f.Setting, Categories: f.Categories, Note: f.Note}
	for _, r := range rules {
		if slices.Contains(r.Kinds(), f.Kind) || slices.Contains(r.RestoreKinds(), f.Kind) {
			s.Entries++
		}
	}
	if seen != nil {
		n := seen.Events[s.Kind]
		s.Seen = &n
		if last, ok := seen.Last[s.Kind]; ok {
			s.Last = &last
		}
	}
	return s
}

// coveredLists lists the catalog's lists, then those of the operator's rules.
func coveredLists(rules []*detectors.Rule, lists map[string][]string) []coveredList {
	all := map[string]*coveredList{}
	var out []coveredList
	for _, l := range knownLists {
		out = append(out, coveredList{List: l.name, Holds: l.holds, Without: l.without, Values: len(lists[l.name]), Entries: []string{}, Blind: []string{}, Opened: []string{}})
	}
	for i := range out {
		all[out[i].List] = &out[i]
	}
	own := map[string]*coveredList{}
	for _, r := range rules {
		if r.HeedsOperators() {
			l := all[detectors.TrustedOperators]
			l.Entries = append(l.Entries, r.Entry)
		}
		for _, name := range r.Lists() {
			l := all[name]
			if l == nil {
				if l = own[name]; l == nil {
					l = &coveredList{List: name, Values: len(lists[name]), Blind: []string{}, Opened: []string{}}
					own[name] = l
				}
			}
			l.Entries = append(l.Entries, r.Entry)
			switch {
			case l.Values > 0:
			case r.Blind():
				l.Blind = append(l.Blind, r.Entry)
			case r.BlindToRestore():
				l.Opened = append(l.Opened, r.Entry)
			}
		}
	}
	for _, name := range sortedKeys(own) {
		out = append(out, *own[name])
	}
	return out
}

func kindNames(kinds []ingest.Kind) []string {
	names := []string{}
	for _, k := range kinds {
		names = append(names, k.String())
	}
	return names
}

// inOrderOfKinds returns the names of kinds, each once, in the kinds' order.
func inOrderOfKinds(names []string) []string {
	out := []string{}
	for _, k := range ingest.Kinds() {
		if slices.Contains(names, k.String()) {
			out = append(out, k.String())
		}
	}
	return out
}
