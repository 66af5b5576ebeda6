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
//
// A condition that is not there, is empty or has All in it is of every value. One
// that was and is no longer has lost All; one that is again has back, beside All,
// every value that it can have lost. Where these are not known they are called "some".
type narrow struct {
	of      *condition
	widened bool
}

// condition is one of a policy's, with the values that it can have if these are few.
type condition struct {
	member
	values []string
}

var (
	riskLevels = []string{"low", "medium", "high"}
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
	}
)

func newNarrow(widened bool) func(string, map[string][]string) (computed, error) {
	return func(arg string, _ map[string][]string) (computed, error) {
		for i := range conditions {
			if conditions[i].name == arg {
				return &narrow{&conditions[i], widened}, nil
			}
		}
		return nil, fmt.Errorf("%q: write a member of a policy's conditions, such as clientAppTypes", arg)
	}
}

func (n *narrow) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if unchanged(ev, n.of.before, n.of.now) {
		return dst
	}
	// narrowed is what left a condition, widened what came; of exclusions the other way round
	came := n.widened != n.of.excludes
	for _, v := range n.of.difference(n.of.member.values(ev, came), n.of.member.values(ev, !came), came) {
		dst = append(dst, sigma.Value{Kind: sigma.String, Text: v})
	}
	return dst
}

// difference returns what one list of a condition's values has and another lacks;
// came is whether it is the later one.
func (c *condition) difference(have, lack []string, came bool) []string {
	everyHave, everyLack := !c.excludes && isEvery(have), !c.excludes && isEvery(lack)
	switch {
	case everyLack:
		return nil
	case everyHave && came && c.values == nil:
		return []string{every, "some"}
	case everyHave && came:
		have = append([]string{every}, c.values...)
	case everyHave:
		return []string{every}
	}
	lacking := map[string]bool{}
	for _, v := range lack {
		lacking[LowerASCII(v)] = true
	}
	out := slices.DeleteFunc(have, func(v string) bool { return lacking[LowerASCII(v)] })
	if len(out) > 0 && !c.excludes && c.values == nil {
		return []string{"some"}
	}
	return out
}

const every = "All"

func isEvery(list []string) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(v string) bool { return strings.EqualFold(v, every) })
}
