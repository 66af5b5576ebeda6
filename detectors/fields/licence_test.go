package fields

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"phiwatch/ingest"
)

// licenceList is a list of licences as records have it; each is NAME:PLAN,PLAN.
func licenceList(licences ...string) string {
	list := []string{}
	for _, l := range licences {
		name, off, _ := strings.Cut(l, ":")
		list = append(list, fmt.Sprintf("[SkuName=%s, AccountId=t, SkuId=s-%[1]s, DisabledPlans=[%s]]", name, off))
	}
	out, _ := json.Marshal(list)
	return string(out)
}

// licencePiece is the first piece of a change that is too long for one record,
// cut after limit bytes.
func licencePiece(before, now string, limit int) string {
	properties := fmt.Sprintf(`[{"Name":"AssignedLicense","OldValue":%s,"NewValue":%s},{"Name":"AssignedPlan","OldValue":[{"ServicePlanId":"x"`, before, now)
	text, _ := json.Marshal(properties)
	all := `{"targetUpdatedProperties":` + string(text)
	return all[:min(limit, len(all))]
}

// changedLicences returns the values of a plan field for a record.
func changedLicences(t *testing.T, field, record string) []string {
	t.Helper()
	c, err := compute(field, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ingest.NewDecoder().Decode(ingest.Message{Body: []byte(record)}, func(ev *ingest.Event) {
		for _, v := range c.append(nil, ev) {
			out = append(out, v.Text)
		}
	}, func(q ingest.Quarantined) { t.Fatal(q.Detail) })
	return out
}

// licenceRecords are the forms in which a change is recorded.
func licenceRecords(before, now string) map[string]string {
	object := func(v any) string { b, _ := json.Marshal(v); return string(b) }
	type m map[string]any
	entra := func(properties m) string {
		return object(m{"time": "2026-03-02T09:00:00Z", "category": "AuditLogs", "operationName": "Update user", "properties": properties})
	}
	unified := func(members m) string {
		members["CreationTime"], members["Operation"], members["RecordType"], members["Workload"] = "2026-03-02T09:00:00", "Update user.", 8, "AzureActiveDirectory"
		return object(members)
	}
	piece := licencePiece(before, now, 9999)
	return map[string]string{
		"entra": entra(m{"targetResources": []m{{"modifiedProperties": []m{{"displayName": "AssignedLicense", "oldValue": before, "newValue": now}}}}}),
		"entra, in pieces": entra(m{"targetResources": []m{{"modifiedProperties": []m{}}},
			"additionalDetails": []m{{"key": "id", "value": "i"}, {"key": "seq", "value": "1"}, {"key": "b", "value": piece}, {"key": "c", "value": "4"}}}),
		"unified": unified(m{"ModifiedProperties": []m{{"Name": "AssignedLicense", "OldValue": before, "NewValue": now}}}),
		"unified, in pieces": unified(m{"ModifiedProperties": []m{},
			"ExtendedProperties": []m{{"Name": "additionalDetails", "Value": object(m{"id": "i", "seq": "1", "b": piece, "c": "4"})}}}),
	}
}

func TestWhatBecomesOfAPlan(t *testing.T) {
	for _, c := range []struct {
		name, before, now, want string
	}{
		{"off", licenceList("E5:"), licenceList("E5:AUDIT"), "lost"},
		{"off with others", licenceList("E5:CHAT"), licenceList("E5:CHAT, AUDIT,X"), "lost"},
		{"on", licenceList("E5:AUDIT, CHAT"), licenceList("E5:CHAT"), "back"},
		{"still off", licenceList("E5:AUDIT"), licenceList("E5:AUDIT,CHAT"), ""},
		{"another's name begins so", licenceList("E5:"), licenceList("E5:AUDIT2"), ""},
		{"another licence beside", licenceList("E5:AUDIT"), licenceList("E5:AUDIT", "PBI:"), ""},
		{"off in one, on in the other", licenceList("E5:", "E5C:AUDIT"), licenceList("E5:AUDIT", "E5C:"), "back"},
		{"given twice, off in one", licenceList("E5:AUDIT", "E5:"), licenceList("E5:AUDIT", "E5:"), ""},
		{"licence taken", licenceList("E5:AUDIT", "PBI:"), licenceList("PBI:"), ""},
		{"licence given", licenceList(), licenceList("E5:"), ""},
		{"licence given with it off", licenceList(), licenceList("E5:AUDIT"), "lost"},
		{"licence changed for another", licenceList("E5:"), licenceList("E5X:AUDIT"), "lost"},
		{"and off before", licenceList("E5:AUDIT"), licenceList("E5X:AUDIT"), ""},
		{"one more that is off", licenceList("E5:AUDIT", "E5C:"), licenceList("E5:AUDIT", "E5C:AUDIT"), "lost"},
	} {
		for form, record := range licenceRecords(c.before, c.now) {
			if got := strings.Join(changedLicences(t, "licence_plan.Audit,2f44", record), ","); got != c.want {
				t.Errorf("%s, %s: %q, want %q", c.name, form, got, c.want)
			}
		}
	}
}

func TestPlansOfLicencesThatAreObjects(t *testing.T) {
	for _, c := range []struct {
		name, property, before, now, want string
	}{
		{"off", "LicenseAssignmentDetail", `[{"SkuId":"e5","DisabledPlans":[]}]`, `[{"SkuId":"E5","DisabledPlans":["2F44"]}]`, "lost"},
		{"on", "LicenseAssignmentDetail", `[{"SkuId":"e5","DisabledPlans":["2f44","x"]}]`, `[{"SkuId":"e5","DisabledPlans":["x"]}]`, "back"},
		{"no id", "LicenseAssignmentDetail", `[{"DisabledPlans":[]},{"DisabledPlans":["x"]}]`, `[{"DisabledPlans":["2f44"]},{"DisabledPlans":["x"]}]`, "lost"},
		{"not in a list", "LicenseAssignmentDetail", `{"SkuId":"e5","DisabledPlans":[]}`, `{"SkuId":"e5","DisabledPlans":"2f44"}`, "lost"},
		{"licence taken", "LicenseAssignmentDetail", `[{"SkuId":"e5","DisabledPlans":["2f44"]}]`, `[]`, ""},
		{"in the other property", "AssignedLicense", `[{"SkuId":"e5","DisabledPlans":[]}]`, `[{"SkuId":"e5","DisabledPlans":["2f44"]}]`, "lost"},
		{"plans in no list", "LicenseAssignmentDetail", `["2f44"]`, `[]`, ""},
	} {
		record, _ := json.Marshal(map[string]any{"time": "2026-03-02T09:00:00Z", "category": "AuditLogs", "operationName": "Update user",
			"properties": map[string]any{"targetResources": []any{map[string]any{"modifiedProperties": []any{
				map[string]any{"displayName": c.property, "oldValue": c.before, "newValue": c.now}}}}}})
		if got := strings.Join(changedLicences(t, "licence_plan.Audit,2f44", string(record)), ","); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A piece that ends early tells less, never something else.
func TestPlansOfAPieceCutAnywhere(t *testing.T) {
	before, now := licenceList("E5:CHAT", "PBI:"), licenceList("E5:AUDIT", "PBI:")
	whole := licencePiece(before, now, 9999)
	for limit := range len(whole) {
		piece, _ := json.Marshal(licencePiece(before, now, limit))
		record := `{"time":"2026-03-02T09:00:00Z","category":"AuditLogs","operationName":"Update user","properties":{"additionalDetails":[{"key":"b","value":` + string(piece) + `}]}}`
		for field, want := range map[string]string{"licence_plan.AUDIT": "lost", "licence_plan.CHAT": "back"} {
			if got := strings.Join(changedLicences(t, field, record), ","); got != "" && got != want {
				t.Errorf("%s of %d bytes: %v", field, limit, got)
			}
		}
	}
	if _, err := compute("licence_plan.", nil); err == nil {
		t.Error("licence_plan. is no field")
	}
}
