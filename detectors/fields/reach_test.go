package fields

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// reachOf returns the values of a field for a change of a policy's conditions.
func reachOf(t *testing.T, field, before, now string) []string {
	t.Helper()
	side := func(conditions string) any {
		if conditions == "" {
			return nil
		}
		return `{"conditions":` + conditions + `}`
	}
	body, _ := json.Marshal(map[string]any{"time": "2026-03-02T09:00:00Z", "category": "AuditLogs", "operationName": "Update conditional access policy",
		"properties": map[string]any{"targetResources": []any{map[string]any{"modifiedProperties": []any{
			map[string]any{"displayName": "ConditionalAccessPolicy", "oldValue": side(before), "newValue": side(now)}}}}}})
	return valuesOf(t, field, map[string][]string{"glass": {"BG"}, "phi": {"ehr"}}, body)
}

func TestWhomAPolicySparesAndReaches(t *testing.T) {
	const (
		everybody = `{"users":{"includeUsers":["All"],"excludeUsers":[]}}`
		glass     = `{"users":{"includeUsers":"All","excludeUsers":"bg"}}`
		butAB     = `{"users":{"includeUsers":["All"],"excludeUsers":["bg","A","b"],"excludeGroups":null}}`
		butB      = `{"users":{"includeUsers":["all"],"excludeUsers":["B"]}}`
		groups    = `{"users":{"includeUsers":["None"],"includeGroups":["g","h"]}}`
		oneGroup  = `{"users":{"includeUsers":[],"includeGroups":"G"}}`
		guests    = `{"users":{"includeUsers":["All"],"excludeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"internalGuest,serviceProvider"}}}`
		oneKind   = `{"users":{"includeUsers":["All"],"excludeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"serviceProvider"}}}`
		allGuests = `{"users":{"includeUsers":["All"],"excludeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"serviceProvider","externalTenants":{"membershipKind":"all"}}}}`
		guestsOf  = `{"users":{"includeUsers":["All"],"excludeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"serviceProvider","externalTenants":{"membershipKind":"enumerated","members":["t"]}}}}`
		guestsOf2 = `{"users":{"includeUsers":["All"],"excludeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"serviceProvider","externalTenants":{"membershipKind":"enumerated","members":["u","t"]}}}}`
		onlyOf    = `{"users":{"includeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"serviceProvider","externalTenants":{"membershipKind":"enumerated","members":["t"]}}}}`
		onlyAll   = `{"users":{"includeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"serviceProvider","externalTenants":{"membershipKind":"all"}}}}`
		word      = `{"users":{"includeUsers":["All"],"excludeUsers":["bg","GuestsOrExternalUsers"]}}`
		sixKinds  = `{"users":{"includeUsers":["All"],"excludeUsers":["bg"],"excludeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"internalGuest,b2bCollaborationGuest,b2bCollaborationMember,b2bDirectConnectUser,otherExternalUser,serviceProvider","externalTenants":{"membershipKind":"all"}}}}`
		onlyWord  = `{"users":{"includeUsers":["GuestsOrExternalUsers"]}}`
		workloads = `{"clientApplications":{"includeServicePrincipals":["ServicePrincipalsInMyTenant"]}}`
		butOne    = `{"clientApplications":{"includeServicePrincipals":["ServicePrincipalsInMyTenant"],"excludeServicePrincipals":["s"]}}`
		oneOnly   = `{"clientApplications":{"includeServicePrincipals":["s"]}}`
		actions   = `{"applications":{"includeUserActions":["urn:a","urn:b"],"includeAuthenticationContextClassReferences":["c1"]}}`
		oneAction = `{"applications":{"includeUserActions":["urn:b"]}}`
		filtered  = `{"applications":{"includeApplications":["All"],"applicationFilter":{"mode":"exclude","rule":"r"}}}`
		apps      = `{"applications":{"includeApplications":["All"],"excludeApplications":[]}}`
		butApp    = `{"applications":{"includeApplications":["All"],"excludeApplications":["x","ehr"]}}`
		someApps  = `{"applications":{"includeApplications":["EHR","x","y"]}}`
		oneApp    = `{"applications":{"includeApplications":["y"]}}`
	)
	for _, c := range []struct {
		field, before, now string
		want               []string
	}{
		{"spared.glass.excludeUsers", everybody, butAB, []string{"A", "b"}},
		{"spared.glass.excludeUsers", everybody, glass, nil},
		{"spared.glass.excludeUsers", "", butB, []string{"B"}},
		{"reached.glass.excludeUsers", butAB, butB, []string{"A"}},
		{"reached.glass.excludeUsers", butB, glass, nil}, // everybody
		{"reached.glass.everybody", butB, glass, []string{"true"}},
		{"reached.glass.everybody", glass, everybody, nil},
		{"reached.glass.everybody", butAB, butB, nil},
		{"spared.glass.includeUsers", everybody, groups, []string{"All"}},
		{"spared.glass.includeUsers", groups, everybody, nil},
		{"reached.glass.includeUsers", groups, butB, []string{"*", "all"}},
		{"reached.glass.includeGroups", groups, butB, []string{"*"}}, // those lost before, too
		{"reached.glass.includeGroups", butB, butAB, nil},
		{"reached.glass.excludeGroups", groups, butB, nil},
		{"spared.glass.includeGroups", groups, oneGroup, []string{"h"}},
		{"spared.glass.includeGroups", groups, butB, nil}, // all users are
		{"reached.glass.includeGroups", oneGroup, groups, []string{"h"}},
		{"spared.glass.includeUsers", groups, oneGroup, nil}, // nobody before
		{"spared.glass.excludeGuestsOrExternalUsers", everybody, guests, []string{"internalGuest", "serviceProvider"}},
		{"spared.glass.excludeGuestsOrExternalUsers", guests, oneKind, nil},
		{"reached.glass.excludeGuestsOrExternalUsers", guests, oneKind, []string{"internalGuest"}},
		{"spared.phi.excludeApplications", apps, butApp, []string{"x", "ehr"}},
		{"spared.phi.includeApplications", apps, oneApp, []string{"All"}},
		{"spared.phi.includeApplications", someApps, oneApp, []string{"EHR"}},
		{"spared.phi.includeApplications", someApps, butApp, nil},
		{"reached.phi.includeApplications", oneApp, someApps, []string{"EHR"}},
		{"reached.phi.includeApplications", oneApp, apps, nil}, // everything
		{"reached.phi.everything", oneApp, apps, []string{"true"}},
		{"reached.phi.everything", oneApp, butApp, nil},
		{"spared.glass.excludeGuestTenants", guestsOf, allGuests, []string{"All"}},
		{"spared.glass.excludeGuestTenants", guestsOf, guestsOf2, []string{"u"}},
		{"spared.glass.excludeGuestTenants", allGuests, guestsOf, nil},
		{"spared.glass.excludeGuestTenants", everybody, allGuests, nil}, // the kinds of guests are told
		{"reached.glass.excludeGuestTenants", allGuests, guestsOf, []string{"All"}},
		{"reached.glass.excludeGuestTenants", guestsOf2, guestsOf, []string{"u"}},
		{"spared.glass.includeGuestTenants", onlyAll, onlyOf, []string{"All"}},
		{"reached.glass.includeGuestTenants", onlyOf, onlyAll, []string{"All"}},
		{"spared.glass.excludeUsers", everybody, word, nil}, // they are told as kinds of guests
		{"spared.glass.excludeGuestsOrExternalUsers", everybody, word, guestKinds},
		{"spared.glass.excludeGuestsOrExternalUsers", word, sixKinds, nil},
		{"spared.glass.excludeGuestTenants", word, sixKinds, nil},
		{"reached.glass.excludeUsers", word, sixKinds, nil},
		{"reached.glass.excludeGuestsOrExternalUsers", word, oneKind, guestKinds[:5]},
		{"reached.glass.everybody", word, everybody, []string{"true"}},
		{"reached.glass.excludeGuestTenants", word, guestsOf, []string{"All"}},
		{"spared.glass.includeUsers", onlyWord, onlyAll, nil},
		{"spared.glass.includeGuestsOrExternalUsers", onlyWord, onlyAll, guestKinds[:5]},
		{"spared.glass.includeGuestTenants", onlyWord, onlyOf, []string{"All"}},
		{"spared.glass.excludeServicePrincipals", workloads, butOne, []string{"s"}},
		{"spared.glass.includeServicePrincipals", workloads, oneOnly, []string{"ServicePrincipalsInMyTenant"}},
		{"reached.glass.every_workload", butOne, workloads, []string{"true"}},
		{"reached.glass.everybody", butOne, workloads, nil},
		{"spared.phi.includeUserActions", actions, oneAction, []string{"urn:a"}},
		{"spared.phi.includeUserActions", actions, apps, []string{"urn:a", "urn:b"}}, // which are no applications
		{"spared.phi.includeAuthenticationContextClassReferences", actions, oneAction, []string{"c1"}},
		{"reached.phi.includeUserActions", oneAction, actions, []string{"urn:a"}},
		{"spared.phi.excludeApplicationFilter", apps, filtered, []string{"r"}},
		{"spared.phi.includeApplicationFilter", filtered, apps, nil},
		{"reached.phi.everything", filtered, apps, []string{"true"}},
		{"reached.glass.before", glass, butB, []string{"everybody", "all sign-ins"}},
		{"reached.glass.after", glass, butB, []string{"all sign-ins"}},
		{"reached.glass.after", butB, `{"users":{"includeUsers":["All"]},"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}}`, []string{"everybody"}},
		{"reached.glass.after", everybody, "", nil},
		{"spared.glass.includeUsers", everybody, "", nil}, // not told
		{"reached.glass.excludeUsers", butAB, "", nil},
	} {
		if diff := cmp.Diff(c.want, reachOf(t, c.field, c.before, c.now)); diff != "" {
			t.Errorf("%s from %s to %s (-want +got):\n%s", c.field, c.before, c.now, diff)
		}
	}
	for _, name := range []string{"spared.glass", "spared.glass.everybody", "reached.glass.excludeUser"} {
		if _, err := compute(name, nil); err == nil {
			t.Errorf("%s is no field", name)
		}
	}
}
