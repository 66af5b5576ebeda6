package fields

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatAnotherTenantIsTrustedWith(t *testing.T) {
	const (
		none   = `{"inboundTrust":{"isMfaAccepted":false,"isCompliantDeviceAccepted":false}}`
		mfa    = `{"inboundTrust":{"isMfaAccepted":"True","isCompliantDeviceAccepted":false}}`
		joined = `{"isMfaAccepted":false,"isHybridAzureADJoinedDeviceAccepted":true}`
		left   = `{"inboundTrust":null}`
		cut    = `{"inboundTrust":{"isMfa`
	)
	for _, c := range []struct {
		field, property string
		before, now     any
		want            []string
	}{
		{"trust.lost", "Policy", none, mfa, []string{"isMfaAccepted"}},
		{"trust.lost", "Policy", left, mfa, []string{"isMfaAccepted"}},
		{"trust.lost", "Policy", nil, mfa, []string{"isMfaAccepted"}},
		{"trust.lost", "Policy", mfa, mfa, nil},
		{"trust.lost", "Policy", mfa, joined, []string{"isHybridAzureADJoinedDeviceAccepted"}},
		{"trust.back", "Policy", mfa, joined, []string{"isMfaAccepted"}},
		{"trust.back", "Policy", mfa, left, []string{"isMfaAccepted"}},
		{"trust.back", "Policy", mfa, cut, nil},
		{"trust.back", "Policy", mfa, nil, []string{"isMfaAccepted"}},
		{"trust.lost", "isMfaAccepted", "false", "true", []string{"isMfaAccepted"}},
		{"trust.back", "isMfaAccepted", "true", "false", []string{"isMfaAccepted"}},
		{"trust.back", "isMfaAccepted", "true", nil, []string{"isMfaAccepted"}},
	} {
		if diff := cmp.Diff(c.want, changed(t, c.field, "Update a partner cross-tenant access setting", c.property, c.before, c.now)); diff != "" {
			t.Errorf("%s of %s from %v to %v (-want +got):\n%s", c.field, c.property, c.before, c.now, diff)
		}
	}
	if _, err := compute("trust.held", nil); err == nil {
		t.Error("trust.held is no field")
	}
}
