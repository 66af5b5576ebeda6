package fields

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"phiwatch/ingest"
)

// readControls are the session controls that sessionOf reads itself.
var readControls = []string{
	"signInFrequency", "persistentBrowser", "cloudAppSecurity", "applicationEnforcedRestrictions", "secureSignInSession", "continuousAccessEvaluation",
}

// otherControls returns the names of further controls that are on: Graph has some for
// Global Secure Access, and for what holds when Entra ID itself is down, and there will
// be others. What is known of one whatever its name is that it is on, or true.
func otherControls(ev *ingest.Event, now bool) (out []string) {
	for _, v := range ev.Find(ofSessions.of(now)) {
		controls := membersOf(v.Text)
		for _, name := range slices.Sorted(maps.Keys(controls)) {
			if !listsName(readControls, name) && isOn(controls[name]) {
				out = append(out, name)
			}
		}
	}
	return out
}

func isOn(value json.RawMessage) bool {
	var flag any
	if json.Unmarshal(value, &flag) != nil {
		return false
	}
	if control, ok := flag.(map[string]any); ok {
		flag = control["isEnabled"]
	}
	return LowerASCII(fmt.Sprint(flag)) == "true"
}
