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
//	reached.<list>.<member>   the other way round; * for all of an include… when everything
//	                          is included again but for what is excluded
//	reached.<list>.everybody  true if nothing is spared any more and something was;
//	                          reached.<list>.everything is that of applications,
//	                          reached.<list>.every_workload that of service principals
//	reached.<list>.before, .after  what the policy leaves nothing out of; see complete
//
// Users, groups and roles of the list may be excluded. Of applications that are no
// longer included, those of the list and All count; user actions and authentication
// contexts are no applications, which All does not cover. When nothing is spared any
// more no member says so: what was spared once, by whatever change, is all over.
type reach struct {
	of     *member // nil: whether nothing is spared
	among  *reached
	list   []string
	spared bool
}

// reached are the members of a policy's conditions that name things of one sort.
type reached struct {
	whole        string // name of the field that nothing is spared
	all          string // of all there are
	applications bool
	section      policySides // of the conditions, where the members are
	members      []member
}

// member is one of the lists of a policy.
type member struct {
	name        string
	excludes    bool
	types       bool // several in one text
	own         bool // All does not cover it
	before, now *document.Path

	mode  string   // of an application filter: it counts while it has this mode
	guest []member // of tenants of guests: all of them or some, and which kinds of guests
	users []member // where all guests of all tenants may be named among the users: see guestsNamed
}

var sorts = []reached{
	{"everybody", every, false, ofPolicy("conditions.users"), slices.Concat(
		newMembers("users.", "excludeUsers", "excludeGroups", "excludeRoles", "includeUsers", "includeGroups", "includeRoles"),
		newGuests("exclude", "users.excludeGuestsOrExternalUsers."), newGuests("include", "users.includeGuestsOrExternalUsers."))},
	{"everything", every, true, ofPolicy("conditions.applications"), append(
		newMembers("applications.", "excludeApplications", "includeApplications", "includeUserActions", "includeAuthenticationContextClassReferences"),
		newFilter("exclude"), newFilter("include"))},
	{"every_workload", "ServicePrincipalsInMyTenant", false, ofWorkloads,
		newMembers("clientApplications.", "excludeServicePrincipals", "includeServicePrincipals")},
	agents,
}

// ofWorkloads are whom a policy covers beside people.
var ofWorkloads = ofPolicy("conditions.clientApplications")

// ownMembers are not covered by all applications.
var ownMembers = []string{"includeUserActions", "includeAuthenticationContextClassReferences"}

func newMembers(of string, names ...string) []member {
	var out []member
	for _, name := range names {
		m := newMember(of + name)
		m.own = slices.Contains(ownMembers, name)
		out = append(out, m)
	}
	return out
}

// newGuests makes the members for the kinds of guests and for their tenants.
func newGuests(verb, of string) []member {
	kinds, tenants := newMember(of+"guestOrExternalUserTypes"), newMember(of+"externalTenants.members")
	kinds.name, tenants.name = verb+"GuestsOrExternalUsers", verb+"GuestTenants"
	kinds.excludes, tenants.excludes = verb == "exclude", verb == "exclude"
	kinds.users = newMembers("users.", verb+"Users")
	tenants.guest, tenants.users = []member{newMember(of + "externalTenants.membershipKind"), kinds}, kinds.users
	return []member{kinds, tenants}
}

// newFilter makes the member for the filter of applications in one of its modes.
func newFilter(mode string) member {
	m := newMember("applications.applicationFilter.rule")
	m.name, m.excludes, m.mode = mode+"ApplicationFilter", mode == "exclude", mode
	return m
}

// newMember makes the member at a path below the conditions, named by its last part.
func newMember(path string) member {
	name := path[strings.LastIndexByte(path, '.')+1:]
	p := ofPolicy("conditions." + path)
	return member{name: name, excludes: strings.HasPrefix(name, "exclude"), types: slices.Contains(flagged, name), before: p.before, now: p.now}
}

// flagged are members of which Graph writes several in one text
// (learn.microsoft.com/graph/api/resources/conditionalaccessconditionset).
var flagged = []string{"guestOrExternalUserTypes", "insiderRiskLevels", "agentIdRiskLevels", "transferMethods"}

var filterModeOf = ofPolicy("conditions.applications.applicationFilter.mode")

func newReach(spared bool) func(string, map[string][]string) (computed, error) {
	return func(arg string, lists map[string][]string) (computed, error) {
		list, name, err := listAndPath(arg)
		if err != nil {
			return nil, err
		}
		if !spared && (name == "before" || name == "after") {
			return newComplete(lists[list], name == "after"), nil
		}
		r := &reach{list: lists[list], spared: spared}
		for i := range sorts {
			s := &sorts[i]
			if k := slices.IndexFunc(s.members, func(m member) bool { return m.name == name }); k >= 0 {
				r.of, r.among = &s.members[k], s
			} else if name == s.whole && !spared {
				r.among = s
			}
		}
		if r.among == nil {
			return nil, fmt.Errorf("%q: write LIST.MEMBER, such as emergency_accounts.excludeUsers", arg)
		}
		return r, nil
	}
}

func (r *reach) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if ofConditions.same(ev) || r.among.section.same(ev) {
		return dst
	}
	if r.of == nil {
		if r.changed(ev) && policyTold(ev) && r.total(ev, true) && !r.total(ev, false) {
			dst = append(dst, sigma.Value{Kind: sigma.True, Text: "true"})
		}
		return dst
	}
	m := r.of
	if !r.spared && !m.excludes && !m.own && r.opened(ev) {
		dst = append(dst, sigma.Value{Kind: sigma.String, Text: "*"})
	}
	switch {
	case m.unchanged(ev) || !policyTold(ev):
		return dst
	case r.spared && !m.excludes && !m.own && r.all(ev, true), !r.spared && r.total(ev, true):
		return dst
	}
	came := r.spared == m.excludes // into the list, rather than out of it
	has, had := m.values(ev, came), m.values(ev, !came)
	if m.guest != nil && (slices.Contains(had, every) || r.spared && len(m.guest[1].values(ev, !came)) == 0) {
		return dst // of all tenants, or of kinds of guests that are told of by themselves
	}
	lack := map[string]bool{}
	for _, v := range had {
		lack[LowerASCII(v)] = true
	}
	for _, v := range has {
		if r.counts(m, v) && !lack[LowerASCII(v)] {
			dst = append(dst, sigma.Value{Kind: sigma.String, Text: v})
		}
	}
	return dst
}

// opened reports whether everything is included, but for what is excluded, and was not.
func (r *reach) opened(ev *ingest.Event) bool {
	return r.changed(ev) && policyTold(ev) && r.all(ev, true) && !r.all(ev, false) && !r.total(ev, true)
}

// counts reports whether it matters that a member has a value, or has not.
func (r *reach) counts(m *member, v string) bool {
	listed := slices.ContainsFunc(r.list, func(l string) bool { return strings.EqualFold(l, v) })
	switch {
	case strings.EqualFold(v, "None"):
		return false
	case m.excludes:
		return r.among.applications || !listed
	}
	return m.name != "includeApplications" || listed || strings.EqualFold(v, every)
}

// changed reports whether any of the members changed.
func (r *reach) changed(ev *ingest.Event) bool {
	return slices.ContainsFunc(r.among.members, func(m member) bool { return !m.unchanged(ev) })
}

// all reports whether everything is included, but for what is excluded.
func (r *reach) all(ev *ingest.Event, now bool) bool {
	return slices.ContainsFunc(r.among.members, func(m member) bool {
		return !m.excludes && m.guest == nil && slices.ContainsFunc(m.values(ev, now), func(v string) bool { return strings.EqualFold(v, r.among.all) })
	})
}

// total reports whether nothing that counts is spared.
func (r *reach) total(ev *ingest.Event, now bool) bool {
	if !r.all(ev, now) {
		return false
	}
	for i := range r.among.members {
		m := &r.among.members[i]
		if m.excludes && slices.ContainsFunc(m.values(ev, now), func(v string) bool { return r.counts(m, v) }) {
			return false
		}
	}
	return true
}

func (m *member) unchanged(ev *ingest.Event) bool {
	return unchanged(ev, m.before, m.now) && (m.users == nil || m.users[0].unchanged(ev)) && (m.mode == "" || unchanged(ev, filterModeOf.before, filterModeOf.now)) &&
		(m.guest == nil || m.guest[0].unchanged(ev) && m.guest[1].unchanged(ev))
}

// values returns what a member lists, before or after the change.
func (m *member) values(ev *ingest.Event, now bool) []string {
	if m.mode != "" && filterModeOf.text(ev, now) != m.mode {
		return nil
	}
	path := m.before
	if now {
		path = m.now
	}
	var out []string
	for text := range texts(ev, path) {
		if m.types {
			out = slices.AppendSeq(out, itemsOf(text))
		} else if text = strings.TrimSpace(text); text != "" && text != "[]" && !strings.EqualFold(text, allGuests) {
			out = append(out, text)
		}
	}
	if m.types {
		out = slices.DeleteFunc(out, func(v string) bool { return strings.EqualFold(v, "none") })
	}
	if m.guest != nil && slices.ContainsFunc(m.guest[0].values(ev, now), func(v string) bool { return strings.EqualFold(v, every) }) {
		out = append(out, every)
	}
	return m.guestsNamed(out, ev, now)
}
