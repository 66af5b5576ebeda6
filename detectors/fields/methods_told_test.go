package fields

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// toldOf returns the values of a methods field for a record that tells only what changed.
func toldOf(t *testing.T, field, target, property string, before, now any) []string {
	t.Helper()
	side := func(v any) string { text, _ := json.Marshal(v); return string(text) }
	body, _ := json.Marshal(map[string]any{
		"time": "2026-11-02T09:00:00Z", "category": "AuditLogs", "operationName": "Authentication Methods Policy Update",
		"properties": map[string]any{"targetResources": []any{map[string]any{"displayName": target, "modifiedProperties": []any{
			map[string]any{"displayName": property, "oldValue": side(before), "newValue": side(now)},
			map[string]any{"displayName": "Included Updated Properties", "oldValue": nil, "newValue": side(property)},
		}}}},
	})
	return valuesOf(t, field, nil, body)
}

func TestMethodsAreReadOfWhatChangedWhateverNamesThem(t *testing.T) {
	type object = map[string]any
	const policy = "Authentication Methods Policy"
	for _, c := range []struct {
		name, target, property string
		before, now            any
		lost                   []string
		understood             bool
	}{
		{"the property", policy, "Fido2.state", "enabled", "disabled", []string{"Fido2: state"}, true},
		{"the property, with all that it is in", policy, "authenticationMethodConfigurations[Sms].state", "disabled", "enabled", []string{"Sms: state"}, true},
		{"the property, and the value what", policy, "Voice", object{"state": "disabled"}, object{"state": "enabled"}, []string{"Voice: state"}, true},
		{"the value", policy, "AuthenticationMethodsPolicy", object{"id": "Fido2", "state": "enabled"}, object{"id": "Fido2", "state": "disabled"}, []string{"Fido2: state"}, true},
		{
			"the value's type", policy, "AuthenticationMethodsPolicy", object{"@odata.type": "#microsoft.graph.emailAuthenticationMethodConfiguration", "state": "disabled"},
			object{"@odata.type": "#microsoft.graph.emailAuthenticationMethodConfiguration", "state": "enabled"}, []string{"Email: state"}, true,
		},
		{"the target, by its name in the portal", "Passkey (FIDO2)", "State", "Enabled", "Disabled", []string{"Fido2: state"}, true},
		{"the property alone", policy, "Microsoft Authenticator", "Enabled", "Disabled", []string{"MicrosoftAuthenticator: state"}, true},
		{"numbers", policy, "Fido2.state", 0, 1, []string{"Fido2: state"}, true},
		{"attestation", policy, "Fido2.isAttestationEnforced", true, false, []string{"Fido2: attestation"}, true},
		{
			"attestation of one of two profiles", policy, "Fido2.passkeyProfiles",
			[]any{object{"id": "a", "attestationEnforcement": "registrationOnly"}, object{"id": "b", "attestationEnforcement": "registrationOnly", "keyRestrictions": object{"isEnforced": false}}},
			[]any{object{"id": "a", "attestationEnforcement": "registrationOnly"}, object{"id": "b", "attestationEnforcement": "disabled", "keyRestrictions": object{"isEnforced": false}}},
			[]string{"Fido2: attestation"}, true,
		},
		{
			"number matching", policy, "MicrosoftAuthenticator.featureSettings", object{"numberMatchingRequiredState": object{"state": "default"}},
			object{"numberMatchingRequiredState": object{"state": "disabled"}}, []string{"MicrosoftAuthenticator: number matching"}, true,
		},
		{"another state of the same method", policy, "MicrosoftAuthenticator.companionAppAllowedState.state", "disabled", "enabled", nil, false},
		{"who may use it", policy, "Fido2.includeTargets", []any{object{"id": "all_users", "isRegistrationRequired": false}}, []any{object{"id": "g1", "isRegistrationRequired": true}}, nil, true},
		{"a method without switches", policy, "TemporaryAccessPass.isUsableOnce", true, false, nil, true},
		{"a switch that is not known", policy, "Fido2.isSelfServiceRegistrationAllowed", false, true, nil, false},
		{"the value before is not told", policy, "Sms.state", nil, "enabled", nil, false},
		{"no method", policy, "reportSuspiciousActivitySettings.state", "enabled", "disabled", nil, false},
		{"nothing", policy, "Fido2.state", "enabled", "enabled", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.lost, toldOf(t, "methods.lost", c.target, c.property, c.before, c.now)); diff != "" {
				t.Errorf("lost (-want +got):\n%s", diff)
			}
			if got := toldOf(t, "methods.understood", c.target, c.property, c.before, c.now) != nil; got != c.understood {
				t.Errorf("understood: %t, want %t", got, c.understood)
			}
			if c.lost == nil {
				return
			}
			if got := toldOf(t, "methods.strengthened", c.target, c.property, c.now, c.before); len(got) != 1 {
				t.Errorf("changed back it strengthens %q, want one method", got)
			}
		})
	}
}

func TestMethodsAreReadOfNumbersInGraphsLayout(t *testing.T) {
	const before, now = `{"id":"Fido2","state":0},{"id":"Sms","state":1}`, `{"id":"Fido2","state":1},{"id":"Sms","state":0}`
	if diff := cmp.Diff([]string{"Fido2: state", "Sms: state"}, methodsOf(t, "methods.lost", before, now)); diff != "" {
		t.Errorf("lost (-want +got):\n%s", diff)
	}
	if got := methodsOf(t, "methods.understood", before, now); got == nil {
		t.Error("Graph's layout is not understood")
	}
}
