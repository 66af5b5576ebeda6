package fields

import (
	"fmt"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// narrow compares to which sign-ins a Conditional Access policy applies, condition
// by condition, before and after a change:
//
//	narrowed.<member>   values that a condition excludes now, or that it is no longer of
//	widened.<member>    the other way round
//	widened.everything  true if no condition narrows the policy any more and some did, for
//	                    all that is told
//	narrowed.unread, widened.unread  of conditions that are not known: see unread
//
// A condition that is not there, is empty or has All in it is of every value. One
// that was and is no longer has lost All; one that is again has back, beside All,
// every value that it can have lost, if these are known. When nothing narrows the
// policy any more no member says so: what was narrowed once is all over.
//
// The rule of a device filter has no values that could be told apart: narrowed by it
// is a policy that has one, or another one than it had, widened one that has none.
type narrow struct {
	of      *condition // nil: everything
	widened bool
}

// condition is one of a policy's, with the values that it can have if these are few.
type condition struct {
	member
	known []string
}

var (
	riskLevels = []string{"none", "low", "medium", "high"}
	conditions = []condition{
		{newMember("platforms.includePlatforms"), []string{"android", "iOS", "windows", "windowsPhone", "macOS", "linux"}},
		{newMember("platforms.excludePlatforms"), nil},
		{newMember("locations.includeLocations"), nil},
		{newMember("locations.excludeLocations"), nil},
		{newMember("devices.includeDevices"), nil},
		{newMember("devices.excludeDevices"), nil},
		{newMember("clientAppTypes"), []string{"browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported", "other"}},
		{newMember("userRiskLevels"), riskLevels},
		{newMember("signInRiskLevels"), riskLevels},
		{newMember("servicePrincipalRiskLevels"), riskLevels},
		{newMember("insiderRiskLevels"), []string{"minor", "moderate", "elevated"}},
		{newMember("agentIdRiskLevels"), riskLevels[1:]},
		{newMember("authenticationFlows.transferMethods"), []string{"deviceCodeFlow", "authenticationTransfer"}},
		deviceFilter,
	}
	// a filter is like an exclusion, of what its rule says
	deviceFilter = condition{member{name: "deviceFilter", excludes: true, before: filterRule.before, now: filterRule.now}, nil}

	filterMode = ofPolicy("conditions.devices.deviceFilter.mode")
	filterRule = ofPolicy("conditions.devices.deviceFilter.rule")
)

func newNarrow(widened bool) func(string, map[string][]string) (computed, error) {
	return func(arg string, _ map[string][]string) (computed, error) {
		if arg == "everything" && widened {
			return &narrow{nil, widened}, nil
		}
		if arg == "unread" {
			return &unread{widened}, nil
		}
		for i := range conditions {
			if conditions[i].name == arg {
				return &narrow{&conditions[i], widened}, nil
			}
		}
		return nil, fmt.Errorf("%q: write a member of a policy's conditions, such as clientAppTypes", arg)
	}
}

func (n *narrow) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	switch {
	case ofConditions.same(ev) || n.of != nil && n.of.unchanged(ev) || !policyTold(ev):
		return dst
	case n.of == nil:
		if !narrowed(ev, true) && (narrowed(ev, false) || !isObject(ev, policyBefore)) {
			dst = append(dst, sigma.Value{Kind: sigma.True, Text: "true"})
		}
		return dst
	case n.widened && !narrowed(ev, true):
		return dst
	}
	// narrowed is what left a condition, widened what came; of exclusions the other way round
	came := n.widened != n.of.excludes
	for _, v := range n.of.difference(n.of.values(ev, came), n.of.values(ev, !came), came) {
		dst = append(dst, sigma.Value{Kind: sigma.String, Text: v})
	}
	return dst
}

// narrowed reports whether a policy has a condition that keeps it from some sign-ins.
func narrowed(ev *ingest.Event, now bool) bool {
	return slices.ContainsFunc(conditions, func(c condition) bool {
		list := c.values(ev, now)
		return c.excludes && len(list) > 0 || !c.excludes && !isEvery(list)
	}) || len(unreadOf(ev, now)) > 0
}

func (c *condition) isFilter() bool { return c.before == filterRule.before }

func (c *condition) unchanged(ev *ingest.Event) bool {
	return unchanged(ev, c.before, c.now) && (!c.isFilter() || unchanged(ev, filterMode.before, filterMode.now))
}

// values returns what a condition lists, before or after the change.
func (c *condition) values(ev *ingest.Event, now bool) []string {
	list := c.orEvery(c.member.values(ev, now))
	if c.isFilter() && len(list) > 0 {
		list = []string{filterMode.text(ev, now) + " " + list[0]}
	}
	return list
}

// difference returns what one list of a condition's values has and another lacks;
// came is whether it is the later one.
func (c *condition) difference(have, lack []string, came bool) []string {
	everyHave, everyLack := !c.excludes && isEvery(have), !c.excludes && isEvery(lack)
	switch {
	case everyLack:
		return nil
	case everyHave && came:
		have = append([]string{every}, c.known...)
	case everyHave:
		return []string{every}
	}
	lacking := map[string]bool{}
	for _, v := range lack {
		lacking[LowerASCII(v)] = true
	}
	return slices.DeleteFunc(have, func(v string) bool { return lacking[LowerASCII(v)] })
}

const every = "All"

func isEvery(list []string) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(v string) bool { return strings.EqualFold(v, every) })
}
