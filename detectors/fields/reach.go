package fields

import (
	"fmt"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// reach compares whom, or which applications, a Conditional Access policy covers
// before and after a change, member by member of its conditions:
//
//	spared.<list>.<member>    what a member spares now and did not: what is new in
//	                          excludeUsers, or gone from includeUsers unless All are in it
//	reached.<list>.<member>   the other way round
//	reached.<list>.everybody  true if nothing is spared any more and something was;
//	                          reached.<list>.everything is that of applications
//
// Users, groups and roles of the list may be excluded. Of applications that are no
// longer included, those of the list and All count. When nothing is spared any more
// no member says so: what was spared once, by whatever change, is all over.
type reach struct {
	of           *member
	list         []string
	spared       bool
	applications bool
	whole        bool
}

// member is one of the lists of a policy.
type member struct {
	name        string
	excludes    bool
	types       bool // several in one text
	before, now *document.Path
}

var (
	peopleMembers      = newMembers("users", "excludeUsers", "excludeGroups", "excludeRoles", "excludeGuestsOrExternalUsers", "includeUsers", "includeGroups", "includeRoles", "includeGuestsOrExternalUsers")
	applicationMembers = newMembers("applications", "excludeApplications", "includeApplications")
)

func newMembers(of string, names ...string) []member {
	var out []member
	for _, name := range names {
		path := of + "." + name
		if strings.HasSuffix(name, "GuestsOrExternalUsers") {
			path += ".guestOrExternalUserTypes"
		}
		m := newMember(path)
		m.name, m.excludes = name, strings.HasPrefix(name, "exclude")
		out = append(out, m)
	}
	return out
}

// newMember makes the member at a path below the conditions, named by its last part.
func newMember(path string) member {
	name := path[strings.LastIndexByte(path, '.')+1:]
	return member{
		name: name, excludes: strings.HasPrefix(name, "exclude"), types: slices.Contains(flagged, name),
		before: document.MustCompile("modified.ConditionalAccessPolicy.old.conditions." + path),
		now:    document.MustCompile("modified.ConditionalAccessPolicy.new.conditions." + path),
	}
}

// flagged are members of which Graph writes several in one text
// (learn.microsoft.com/graph/api/resources/conditionalaccessconditionset).
var flagged = []string{"guestOrExternalUserTypes", "insiderRiskLevels"}

func newReach(spared bool) func(string, map[string][]string) (computed, error) {
	return func(arg string, lists map[string][]string) (computed, error) {
		list, name, err := listAndPath(arg)
		if err != nil {
			return nil, err
		}
		r := &reach{list: lists[list], spared: spared}
		if name == "everybody" || name == "everything" {
			r.whole, r.applications = true, name == "everything"
			if !spared {
				return r, nil
			}
		}
		for i := range peopleMembers {
			if peopleMembers[i].name == name {
				r.of = &peopleMembers[i]
			}
		}
		for i := range applicationMembers {
			if applicationMembers[i].name == name {
				r.of, r.applications = &applicationMembers[i], true
			}
		}
		if r.of == nil {
			return nil, fmt.Errorf("%q: write LIST.MEMBER, such as emergency_accounts.excludeUsers", arg)
		}
		return r, nil
	}
}

func (r *reach) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if r.whole {
		if r.changed(ev) && r.total(ev, true) && !r.total(ev, false) {
			dst = append(dst, sigma.Value{Kind: sigma.True, Text: "true"})
		}
		return dst
	}
	if unchanged(ev, r.of.before, r.of.now) || r.spared && !r.of.excludes && r.all(ev, true) || !r.spared && r.total(ev, true) {
		return dst
	}
	came := r.spared == r.of.excludes // into the list, rather than out of it
	lack := map[string]bool{}
	for _, v := range r.of.values(ev, !came) {
		lack[LowerASCII(v)] = true
	}
	for _, v := range r.of.values(ev, came) {
		if r.counts(r.of, v) && !lack[LowerASCII(v)] {
			dst = append(dst, sigma.Value{Kind: sigma.String, Text: v})
		}
	}
	return dst
}

// counts reports whether it matters that a member has a value, or has not.
func (r *reach) counts(m *member, v string) bool {
	listed := slices.ContainsFunc(r.list, func(l string) bool { return strings.EqualFold(l, v) })
	switch {
	case strings.EqualFold(v, "None"):
		return false
	case m.excludes:
		return r.applications || !listed
	}
	return !r.applications || listed || strings.EqualFold(v, "All")
}

// members are those of the same conditions.
func (r *reach) members() []member {
	if r.applications {
		return applicationMembers
	}
	return peopleMembers
}

// changed reports whether any of the members changed.
func (r *reach) changed(ev *ingest.Event) bool {
	return slices.ContainsFunc(r.members(), func(m member) bool { return !unchanged(ev, m.before, m.now) })
}

// all reports whether everything is included, but for what is excluded.
func (r *reach) all(ev *ingest.Event, now bool) bool {
	for i := range r.members() {
		m := &r.members()[i]
		if !m.excludes && slices.ContainsFunc(m.values(ev, now), func(v string) bool { return strings.EqualFold(v, "All") }) {
			return true
		}
	}
	return false
}

// total reports whether nothing that counts is spared.
func (r *reach) total(ev *ingest.Event, now bool) bool {
	if !r.all(ev, now) {
		return false
	}
	for i := range r.members() {
		m := &r.members()[i]
		if m.excludes && slices.ContainsFunc(m.values(ev, now), func(v string) bool { return r.counts(m, v) }) {
			return false
		}
	}
	return true
}

// values returns what a member lists, before or after the change.
func (m *member) values(ev *ingest.Event, now bool) []string {
	path := m.before
	if now {
		path = m.now
	}
	var out []string
	for text := range texts(ev, path) {
		if m.types {
			out = slices.AppendSeq(out, itemsOf(text))
		} else if text = strings.TrimSpace(text); text != "" && text != "[]" {
			out = append(out, text)
		}
	}
	return out
}
