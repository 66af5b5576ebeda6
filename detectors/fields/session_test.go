package fields

import "testing"

func TestHowAPolicyLimitsSessions(t *testing.T) {
	session := func(controls string) string { return `{"sessionControls":{` + controls + `}}` }
	const (
		fourHours = `"signInFrequency":{"value":4,"type":"hours","frequencyInterval":"timeBased","isEnabled":true}`
		sixHours  = `"signInFrequency":{"value":6,"type":"hours","isEnabled":true}`
		oneDay    = `"signInFrequency":{"value":1,"type":"days","isEnabled":true}`
		twoWeeks  = `"signInFrequency":{"value":14,"type":"days","isEnabled":true}`
		always    = `"signInFrequency":{"value":null,"type":null,"frequencyInterval":"everyTime","isEnabled":true}`
		unknown   = `"signInFrequency":{"isEnabled":"True"}`
		off       = `"signInFrequency":{"value":4,"type":"hours","isEnabled":false},"persistentBrowser":{"mode":"never","isEnabled":null},"applicationEnforcedRestrictions":null`
		others    = `"persistentBrowser":{"mode":"never","isEnabled":true},"applicationEnforcedRestrictions":{"isEnabled":true},"secureSignInSession":{"isEnabled":true}`
		keeps     = `"persistentBrowser":{"mode":"always","isEnabled":true},"applicationEnforcedRestrictions":{"isEnabled":true},"secureSignInSession":{"isEnabled":true}`
		blocks    = `"cloudAppSecurity":{"cloudAppSecurityType":"blockDownloads","isEnabled":true}`
		monitors  = `"cloudAppSecurity":{"cloudAppSecurityType":"monitorOnly","isEnabled":true}`
		further   = `"globalSecureAccessFilteringProfile":{"profileId":"p","isEnabled":"True"},"disableResilienceDefaults":true`
		fewer     = `"globalSecureAccessFilteringProfile":{"profileId":"p","isEnabled":false},"disableResilienceDefaults":null`
		strict    = `"continuousAccessEvaluation":{"mode":"strictLocation"}`
		disabled  = `"continuousAccessEvaluation":{"mode":"disabled"}`
	)
	testPolicyChanges(t, []string{"session.lost", "session.back"}, []policyCase{
		{"off", session(twoWeeks + "," + others), session(off), map[string][]string{"session.lost": {"signInFrequency", "signInFrequency 30d", "persistentBrowser", "applicationEnforcedRestrictions", "secureSignInSession"}}},
		{"on", `{"sessionControls":null}`, session(twoWeeks), map[string][]string{"session.back": {"signInFrequency", "signInFrequency 30d"}}},
		{"within the same hours", session(fourHours), session(sixHours), nil},
		{"a day", session(fourHours), session(oneDay), map[string][]string{"session.lost": {"signInFrequency 8h"}}},
		{"hours again", session(oneDay), session(sixHours), map[string][]string{"session.back": {"signInFrequency 8h"}}},
		{"no longer every time", session(always), session(twoWeeks), map[string][]string{"session.lost": {"signInFrequency every time", "signInFrequency 1h", "signInFrequency 8h", "signInFrequency 1d", "signInFrequency 7d"}}},
		{"how often is not told", session(fourHours), session(unknown), nil},
		{"keeps people signed in", session(others), session(keeps), map[string][]string{"session.lost": {"persistentBrowser"}}},
		{"only monitors", session(blocks), session(monitors), map[string][]string{"session.lost": {"cloudAppSecurity more than monitoring"}}},
		{"further controls off", session(further), session(fewer), map[string][]string{"session.lost": {"disableResilienceDefaults", "globalSecureAccessFilteringProfile"}}},
		{"further controls on", session(""), session(further), map[string][]string{"session.back": {"disableResilienceDefaults", "globalSecureAccessFilteringProfile"}}},
		{"less strict", session(strict), session(""), map[string][]string{"session.lost": {"continuousAccessEvaluation strict"}}},
		{"not evaluated", session(""), session(disabled), map[string][]string{"session.lost": {"continuousAccessEvaluation"}}},
		{"evaluated again", session(disabled), session(strict), map[string][]string{"session.back": {"continuousAccessEvaluation", "continuousAccessEvaluation strict"}}},
	})
	testPolicyChanges(t, []string{"session.held"}, []policyCase{
		{"unchanged", session(oneDay), session(oneDay), map[string][]string{"session.held": {"signInFrequency", "signInFrequency 1d", "signInFrequency 7d", "signInFrequency 30d"}}},
	})
	if _, err := compute("session.on", nil); err == nil {
		t.Error("session.on is no field")
	}
}
