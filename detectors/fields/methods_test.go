package fields

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// methodsOf returns the values of a methods field for a change between two lists
// of configurations.
func methodsOf(t *testing.T, field, before, after string) []string {
	t.Helper()
	side := func(list string) string { return `{"authenticationMethodConfigurations":[` + list + `]}` }
	body, _ := json.Marshal(map[string]any{
		"time": "2026-03-02T09:00:00Z", "category": "AuditLogs", "operationName": "Authentication Methods Policy Update",
		"properties": map[string]any{"targetResources": []any{map[string]any{"modifiedProperties": []any{
			map[string]any{"displayName": "AuthenticationMethodsPolicy", "oldValue": side(before), "newValue": side(after)},
		}}}},
	})
	return valuesOf(t, field, nil, body)
}

func TestMethodsAreComparedSwitchBySwitch(t *testing.T) {
	const (
		strong = `{"id":"Fido2","state":"enabled","isAttestationEnforced":true},{"id":"Voice","state":"disabled"}`
		weak   = `{"id":"Fido2","state":"disabled","isAttestationEnforced":false},{"id":"Voice","state":"enabled"}`
		swap   = `{"id":"Fido2","state":"enabled","isAttestationEnforced":false},{"id":"Voice","state":"enabled"}`
		attest = `{"id":"Fido2","state":"disabled","isAttestationEnforced":true},{"id":"Voice","state":"enabled"}`
	)
	managed := func(state string) string {
		return `{"id":"MicrosoftAuthenticator","featureSettings":{"numberMatchingRequiredState":{"state":"` + state + `"},"displayAppInformationRequiredState":{"state":"` + state + `"}}}`
	}
	for _, c := range []struct {
		name, before, after string
		want                map[string][]string
	}{
		{"all lost", strong, weak, map[string][]string{
			"methods.weakened": {"Fido2", "Voice"}, "methods.lost": {"Fido2: state", "Fido2: attestation", "Voice: state"},
		}},
		{"all back", weak, strong, map[string][]string{
			"methods.strengthened": {"Fido2", "Voice"}, "methods.back": {"Fido2: state", "Fido2: attestation", "Voice: state"},
		}},
		{"one back", weak, swap, map[string][]string{"methods.strengthened": {"Fido2"}, "methods.back": {"Fido2: state"}}},
		{"one for the other", attest, swap, map[string][]string{
			"methods.weakened": {"Fido2"}, "methods.lost": {"Fido2: attestation"}, "methods.back": {"Fido2: state"},
		}},
		{"nothing changed", strong, strong, map[string][]string{"methods.back": {"Fido2: state", "Fido2: attestation", "Voice: state"}}},
		{"nothing told", "", "", nil},
		{"what Microsoft manages is on", managed("default"), managed("disabled"), map[string][]string{
			"methods.weakened": {"MicrosoftAuthenticator"}, "methods.lost": {"MicrosoftAuthenticator: number matching"},
		}},
		{"is managed again", managed("disabled"), managed("default"), map[string][]string{
			"methods.strengthened": {"MicrosoftAuthenticator"}, "methods.back": {"MicrosoftAuthenticator: number matching"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, field := range []string{"methods.weakened", "methods.strengthened", "methods.lost", "methods.back"} {
				if diff := cmp.Diff(c.want[field], methodsOf(t, field, c.before, c.after)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", field, diff)
				}
			}
		})
	}
	if _, err := compute("methods.losst", nil); err == nil {
		t.Error("methods.losst is no field")
	}
}
