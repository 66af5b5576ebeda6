package alerting_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"phiwatch/alerting"
	"phiwatch/detectors"
	"phiwatch/detectors/rules"
)

// policyChange is a record of a change of the authentication methods policy, so
// many minutes after nine: of passkeys, whether they are on and attested, and of
// text messages.
func policyChange(minute int, before, after [3]bool) detectors.Payload {
	words := map[bool]string{true: "enabled", false: "disabled"}
	policy := func(v [3]bool) string {
		return fmt.Sprintf(`{"authenticationMethodConfigurations":[{"id":"Fido2","state":%q,"isAttestationEnforced":%t},{"id":"Sms","state":%q}]}`, words[v[0]], v[1], words[v[2]])
	}
	at := time.Date(2026, 3, 2, 9, minute, 0, 0, time.UTC).Format(time.RFC3339)
	body, _ := json.Marshal(map[string]any{
		"time": at, "category": "AuditLogs", "tenantId": "t", "operationName": "Authentication Methods Policy Update", "correlationId": at,
		"properties": map[string]any{
			"id": at, "result": "success", "activityDateTime": at, "activityDisplayName": "Authentication Methods Policy Update",
			"targetResources": []any{map[string]any{
				"id": "authenticationMethodsPolicy", "type": "Policy",
				"modifiedProperties": []any{map[string]any{"displayName": "AuthenticationMethodsPolicy", "oldValue": policy(before), "newValue": policy(after)}},
			}},
		},
	})
	return detectors.Payload{Name: at, Body: body}
}

// A method is weak until each of its switches is back, whatever else its policy's
// changes were about.
func TestEachSwitchOfAMethodHasToComeBack(t *testing.T) {
	const file = "authentication/auth-methods-policy-weakened.yml"
	rule, err := rules.FS.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	db := catalogDB(t)
	for _, c := range []struct {
		name   string
		states [][3]bool // passkeys on, attested, text messages on
		want   map[string]alerting.Status
	}{
		{"both lost, on again", [][3]bool{{true, true, false}, {false, false, false}, {true, false, false}}, map[string]alerting.Status{"t + Fido2": alerting.StatusOpen}},
		{"both lost, attested again", [][3]bool{{true, true, false}, {false, false, false}, {false, true, false}}, map[string]alerting.Status{"t + Fido2": alerting.StatusOpen}},
		{"on again, then attested", [][3]bool{{true, true, false}, {false, false, false}, {true, false, false}, {true, true, false}}, map[string]alerting.Status{"t + Fido2": alerting.StatusRestored}},
		{"attested again, then on", [][3]bool{{true, true, false}, {false, false, false}, {false, true, false}, {true, true, false}}, map[string]alerting.Status{"t + Fido2": alerting.StatusRestored}},
		{"one after the other, both back at once", [][3]bool{{true, true, false}, {true, false, false}, {false, false, false}, {true, true, false}}, map[string]alerting.Status{"t + Fido2": alerting.StatusRestored}},
		{"one back while the other is lost", [][3]bool{{true, true, false}, {false, true, false}, {true, false, false}}, map[string]alerting.Status{"t + Fido2": alerting.StatusOpen}},
		{
			"two methods at once, one back", [][3]bool{{true, true, false}, {false, true, true}, {false, true, false}},
			map[string]alerting.Status{"t + Fido2": alerting.StatusOpen, "t + Sms": alerting.StatusRestored},
		},
		{
			"two methods at once, the other back", [][3]bool{{true, true, false}, {false, false, true}, {true, true, true}},
			map[string]alerting.Status{"t + Fido2": alerting.StatusRestored, "t + Sms": alerting.StatusOpen},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &player{t: t, db: db, engine: loadOne(t, file, rule, nil)}
			s := &detectors.Scenario{}
			for i := 1; i < len(c.states); i++ {
				s.Events = append(s.Events, policyChange(i, c.states[i-1], c.states[i]))
			}
			records := p.match(s)
			r := rand.New(rand.NewPCG(5, 7))
			for range 6 {
				got := map[string]alerting.Status{}
				for _, v := range p.ledger(r, slices.Clone(records), true) {
					got[v.Subject] = v.State
				}
				if fmt.Sprint(got) != fmt.Sprint(c.want) {
					t.Fatalf("%v, want %v", got, c.want)
				}
				r.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
			}
		})
	}
}
