package fields

import "testing"

func TestWhatAPolicyDemands(t *testing.T) {
	grant := func(operator, controls string, more ...string) string {
		out := `{"grantControls":{"operator":"` + operator + `","builtInControls":[` + controls + `]`
		for _, m := range more {
			out += "," + m
		}
		return out + "}}"
	}
	const (
		none     = `{"grantControls":null}`
		strength = `"authenticationStrength":{"id":"s"}`
		terms    = `"termsOfUse":["t"]`
		another  = `"customAuthenticationFactors":["f"]`
		mfa      = `"mfa"`
		device   = `"compliantDevice"`
		joined   = `"domainJoinedDevice"`
	)
	testPolicyChanges(t, []string{"grant_lost.mfa", "grant_back.mfa", "grant_lost.device", "grant_back.device"}, []policyCase{
		{"cleared", grant("OR", mfa), none, map[string][]string{"grant_lost.mfa": {"asked", "demanded"}}},
		{"a strength for it", grant("OR", mfa), grant("OR", "", strength), nil},
		{"a strength that is none", grant("OR", mfa), grant("OR", "", `"authenticationStrength":{"id":" "}`), map[string][]string{"grant_lost.mfa": {"asked", "demanded"}}},
		{"another case", grant("or", `"MFA"`), grant("OR", mfa), nil},
		{"another will do", grant("OR", mfa), grant("OR", mfa+","+device), map[string][]string{"grant_lost.mfa": {"demanded"}, "grant_back.device": {"compliantDevice"}}},
		{"terms will do", grant("OR", mfa), grant("OR", mfa, terms), map[string][]string{"grant_lost.mfa": {"demanded"}}},
		{"a foreign factor will do", grant("OR", "", strength), grant("OR", "", strength, another), map[string][]string{"grant_lost.mfa": {"demanded"}}},
		{"and terms", grant("OR", mfa), grant("AND", mfa, terms), nil},
		{"all become one", grant("AND", mfa+","+device), grant("OR", mfa+","+device), map[string][]string{"grant_lost.mfa": {"demanded"}, "grant_lost.device": {"managed"}}},
		{"one is left", grant("AND", mfa+","+device), grant("OR", mfa), map[string][]string{"grant_lost.device": {"compliantDevice", "managed"}}},
		{"back as a choice", grant("OR", device), grant("OR", mfa+","+device), map[string][]string{"grant_back.mfa": {"asked"}, "grant_lost.device": {"managed"}}},
		{"back alone", grant("OR", mfa+","+device), grant("OR", mfa), map[string][]string{"grant_back.mfa": {"demanded"}, "grant_lost.device": {"compliantDevice"}}},
		{"blocked for it", grant("AND", mfa+","+device), grant("OR", `"block"`), map[string][]string{"grant_back.device": {"domainJoinedDevice"}}},
		{"no longer blocked", grant("OR", `"block"`), none, map[string][]string{"grant_lost.mfa": {"asked", "demanded"}}},
		{"no longer blocked with MFA", grant("OR", `"block"`), grant("OR", mfa), nil},
		{"not told before", "", grant("OR", mfa), map[string][]string{"grant_back.mfa": {"asked", "demanded"}}},
		{"one kind of device is asked of everybody", grant("OR", device+","+joined), grant("OR", joined), nil},
		{"and MFA with it", grant("OR", device+","+joined), grant("AND", mfa+","+device), map[string][]string{"grant_back.mfa": {"asked", "demanded"}}},
		{"compliant for joined and MFA with it", grant("OR", joined), grant("AND", mfa+","+device), map[string][]string{"grant_back.mfa": {"asked", "demanded"}, "grant_back.device": {"compliantDevice"}}},
		{"one kind of device is gone", grant("AND", device+","+joined), grant("AND", joined), map[string][]string{"grant_lost.device": {"compliantDevice"}}},
		{"all kinds of device are gone", grant("OR", device+","+joined), none, map[string][]string{"grant_lost.device": {"compliantDevice", "domainJoinedDevice", "managed"}}},
		{"joined for compliant", grant("OR", device), grant("OR", joined), map[string][]string{"grant_lost.device": {"compliantDevice"}, "grant_back.device": {"domainJoinedDevice"}}},
		{"compliant for joined", grant("OR", joined), grant("OR", device), map[string][]string{"grant_back.device": {"compliantDevice"}}},
	})
	testPolicyChanges(t, []string{"grant_held.mfa", "grant_held.device"}, []policyCase{
		{"unchanged", grant("OR", mfa), grant("OR", mfa), map[string][]string{"grant_held.mfa": {"asked", "demanded"}}},
		{"a choice", grant("OR", mfa), grant("OR", mfa+","+device), map[string][]string{"grant_held.mfa": {"asked"}, "grant_held.device": {"compliantDevice"}}},
	})
	if _, err := compute("grant_lost.block", nil); err == nil {
		t.Error("grant_lost.block is no field")
	}
}
