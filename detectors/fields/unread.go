package fields

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// unread tells of conditions of a Conditional Access policy that nothing else here
// knows: Graph's beta has some, and there will be others.
//
//	narrowed.unread   those that a change gave a value, or another one
//	widened.unread    those that have none any more
//
// What is known of a condition whatever its name is that it keeps the policy from
// some sign-ins, unless it is empty or of all. Of users, applications and clients
// only what excludes, and filters, are taken to be conditions.
type unread struct{ widened bool }

// readConditions are the members of a policy's conditions that other fields read.
var readConditions = []string{
	"applications", "users", "clientApplications", "userRiskLevels", "signInRiskLevels", "servicePrincipalRiskLevels", "insiderRiskLevels",
	"agentIdRiskLevels", "clientAppTypes", "platforms", "locations", "devices", "authenticationFlows",
}

// readMembers are those of some of them that are read and exclude, or are filters.
var readMembers = map[string][]string{
	"applications":       {"excludeApplications", "applicationFilter"},
	"users":              {"excludeUsers", "excludeGroups", "excludeRoles", "excludeGuestsOrExternalUsers"},
	"clientapplications": {"excludeServicePrincipals", "excludeAgentIdServicePrincipals", "servicePrincipalFilter", "agentIdServicePrincipalFilter"},
}

func (u *unread) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if ofConditions.same(ev) || !isObject(ev, ofConditions.before) || !isObject(ev, ofConditions.now) {
		return dst
	}
	had, has := unreadOf(ev, false), unreadOf(ev, true)
	if u.widened {
		if !narrowed(ev, true) {
			return dst // everything is over: see narrow
		}
		had, has = has, had
	}
	for _, name := range slices.Sorted(maps.Keys(has)) {
		if was, ok := had[name]; !ok || was != has[name] && !u.widened {
			dst = append(dst, sigma.Value{Kind: sigma.String, Text: name})
		}
	}
	return dst
}

// unreadOf returns the conditions that a policy has beside those that are read, by
// name, as JSON.
func unreadOf(ev *ingest.Event, now bool) map[string]string {
	out := map[string]string{}
	for _, v := range ev.Find(ofConditions.of(now)) {
		if v.Kind != document.Object {
			continue
		}
		for name, value := range document.Members(v.Text) {
			if !listsName(readConditions, name) {
				keepSaying(out, name, value)
				continue
			}
			read, some := readMembers[LowerASCII(name)]
			if !some {
				continue
			}
			for member, value := range document.Members(value) {
				low := LowerASCII(member)
				if (strings.HasPrefix(low, "exclude") || strings.HasSuffix(low, "filter")) && !listsName(read, member) {
					keepSaying(out, name+"."+member, value)
				}
			}
		}
	}
	return out
}

// membersOf returns the members of an object, without annotations.
func membersOf(text string) map[string]json.RawMessage {
	var out map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &out) != nil {
		return nil
	}
	maps.DeleteFunc(out, func(name string, _ json.RawMessage) bool { return strings.Contains(name, "@") })
	return out
}

// keepSaying keeps what is no annotation and says anything.
func keepSaying(out map[string]string, name, value string) {
	var v any
	if !strings.Contains(name, "@") && json.Unmarshal([]byte(value), &v) == nil && saysSome(v) {
		out[name] = value
	}
}

// saysSome reports whether there is anything in a value but what means all or none.
func saysSome(v any) bool {
	switch v := v.(type) {
	case string:
		return !slices.Contains([]string{"", "all", "none", "unknownfuturevalue"}, LowerASCII(strings.TrimSpace(v)))
	case bool:
		return v
	case float64:
		return true
	case []any:
		return slices.ContainsFunc(v, saysSome)
	case map[string]any:
		for name, inner := range v {
			if !strings.Contains(name, "@") && saysSome(inner) {
				return true
			}
		}
	}
	return false
}

func listsName(list []string, name string) bool {
	return slices.ContainsFunc(list, func(l string) bool { return strings.EqualFold(l, name) })
}
