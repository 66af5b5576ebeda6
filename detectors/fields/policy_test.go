package fields

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest"
)

// policyChange returns the values of a field for a change from one policy to
// another; they are texts as a record has them, or nil.
func policyChange(t *testing.T, field string, before, now any) []string {
	t.Helper()
	return changed(t, field, "Update conditional access policy", "ConditionalAccessPolicy", before, now)
}

// valuesOf returns the values of a computed field for a record, with some lists.
func valuesOf(t *testing.T, field string, lists map[string][]string, body []byte) []string {
	t.Helper()
	c, err := compute(field, lists)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ingest.NewDecoder().Decode(ingest.Message{Body: body}, func(ev *ingest.Event) {
		for _, v := range c.append(nil, ev) {
			out = append(out, v.Text)
		}
	}, func(q ingest.Quarantined) { t.Fatal(q.Detail) })
	return out
}

// changed returns the values of a field for a change of a property.
func changed(t *testing.T, field, operation, property string, before, now any) []string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"time": "2026-03-02T09:00:00Z", "category": "AuditLogs", "operationName": operation,
		"properties": map[string]any{"targetResources": []any{map[string]any{"modifiedProperties": []any{
			map[string]any{"displayName": property, "oldValue": before, "newValue": now}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return valuesOf(t, field, nil, body)
}

// A value that is missing, or was cut, is not a policy without conditions or
// controls: it has lost none, and what it had excluded is not covered again.
func TestAPolicyThatIsNotToldChangesNothing(t *testing.T) {
	const policy = `{"state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeUsers":["u"]},"signInRiskLevels":["high"],` +
		`"platforms":{"excludePlatforms":["linux"]}},"grantControls":{"operator":"AND","builtInControls":["mfa","compliantDevice"]},` +
		`"sessionControls":{"persistentBrowser":{"mode":"never","isEnabled":true}}}`
	for _, field := range []string{
		"spared.l.includeUsers", "reached.l.excludeUsers", "reached.l.everybody", "widened.signInRiskLevels", "widened.excludePlatforms",
		"widened.everything", "grant_lost.mfa", "grant_lost.device", "grant_held.mfa", "session.lost", "session.held",
	} {
		for _, now := range []any{nil, "", policy[:40], policy[:120], policy[:len(policy)-1]} {
			if got := policyChange(t, field, policy, now); len(got) > 0 {
				t.Errorf("%s of a policy that became %v: %v", field, now, got)
			}
		}
	}
}

type policyCase struct {
	name, before, now string
	want              map[string][]string
}

func testPolicyChanges(t *testing.T, fields []string, cases []policyCase) {
	for _, c := range cases {
		for _, field := range fields {
			got := policyChange(t, field, c.before, c.now)
			if diff := cmp.Diff(slices.Sorted(slices.Values(c.want[field])), slices.Sorted(slices.Values(got))); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", c.name, field, diff)
			}
		}
	}
}
