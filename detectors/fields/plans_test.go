package fields

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// changedLicences returns the values of a plans field for a record.
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

func TestPlansOfLicencesBeforeAndAfter(t *testing.T) {
	for _, c := range []struct {
		name        string
		before, now string
		lost, back  []string
	}{
		{"given twice, off in one", licenceList("E5:AUDIT", "E5:"), licenceList("E5:AUDIT", "E5:"), nil, nil},
		{"one off", licenceList("E5:"), licenceList("E5:AUDIT"), []string{"AUDIT"}, nil},
		{"one on", licenceList("E5:AUDIT, CHAT"), licenceList("E5:CHAT"), nil, []string{"AUDIT"}},
		{"still off", licenceList("E5:AUDIT"), licenceList("E5:AUDIT,CHAT"), []string{"CHAT"}, nil},
		{"another licence beside", licenceList("E5:AUDIT"), licenceList("E5:AUDIT", "PBI:"), nil, nil},
		{"off in one, on in the other", licenceList("E5:", "E5C:AUDIT"), licenceList("E5:AUDIT", "E5C:"), nil, []string{"AUDIT"}},
		{"licence taken", licenceList("E5:AUDIT", "PBI:"), licenceList("PBI:"), nil, nil},
		{"licence changed for another", licenceList("E5:"), licenceList("E5X:AUDIT"), []string{"AUDIT"}, nil},
		{"and off before", licenceList("E5:AUDIT"), licenceList("E5X:AUDIT"), nil, nil},
		{"licence given", licenceList(), licenceList("E5:"), nil, nil},
		{"one more that is off", licenceList("E5:AUDIT", "E5C:"), licenceList("E5:AUDIT", "E5C:AUDIT"), []string{"AUDIT"}, nil},
	} {
		for form, record := range licenceRecords(c.before, c.now) {
			t.Run(c.name+"/"+form, func(t *testing.T) {
				if diff := cmp.Diff(c.lost, changedLicences(t, "plans.lost", record)); diff != "" {
					t.Errorf("lost (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(c.back, changedLicences(t, "plans.back", record)); diff != "" {
					t.Errorf("back (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestPlansOfLicencesThatAreObjects(t *testing.T) {
	detail := func(property, before, now string) string {
		b, _ := json.Marshal(map[string]any{"time": "2026-03-02T09:00:00Z", "category": "AuditLogs", "operationName": "Update user",
			"properties": map[string]any{"targetResources": []any{map[string]any{"modifiedProperties": []any{
				map[string]any{"displayName": property, "oldValue": before, "newValue": now}}}}}})
		return string(b)
	}
	const property = "LicenseAssignmentDetail"
	for _, c := range []struct {
		name, record string
		lost, back   []string
	}{
		{"off", detail(property, `[{"SkuId":"e5","DisabledPlans":[]}]`, `[{"SkuId":"E5","DisabledPlans":["2F44"]}]`), []string{"2F44"}, nil},
		{"on", detail(property, `[{"SkuId":"e5","DisabledPlans":["2f44","x"]}]`, `[{"SkuId":"e5","DisabledPlans":["x"]}]`), nil, []string{"2f44"}},
		{"no id", detail(property, `[{"DisabledPlans":[]},{"DisabledPlans":["x"]}]`, `[{"DisabledPlans":["2f44"]},{"DisabledPlans":["x"]}]`), []string{"2f44"}, nil},
		{"not in a list", detail(property, `{"SkuId":"e5","DisabledPlans":[]}`, `{"SkuId":"e5","DisabledPlans":"2f44"}`), []string{"2f44"}, nil},
		{"licence taken", detail(property, `[{"SkuId":"e5","DisabledPlans":["2f44"]}]`, `[]`), nil, nil},
		{"in the other property", detail("AssignedLicense", `[{"SkuId":"e5","DisabledPlans":[]}]`, `[{"SkuId":"e5","DisabledPlans":["2f44"]}]`), []string{"2f44"}, nil},
		{"plans in no list", detail(property, `["2f44"]`, `[]`), nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.lost, changedLicences(t, "plans.lost", c.record)); diff != "" {
				t.Errorf("lost (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.back, changedLicences(t, "plans.back", c.record)); diff != "" {
				t.Errorf("back (-want +got):\n%s", diff)
			}
		})
	}
}

// A piece that ends early tells less, never something else.
func TestPlansOfAPieceCutAnywhere(t *testing.T) {
	before, now := licenceList("E5:CHAT", "PBI:"), licenceList("E5:AUDIT", "PBI:")
	whole := licencePiece(before, now, 9999)
	for limit := range len(whole) {
		piece, _ := json.Marshal(licencePiece(before, now, limit))
		record := `{"time":"2026-03-02T09:00:00Z","category":"AuditLogs","operationName":"Update user","properties":{"additionalDetails":[{"key":"b","value":` + string(piece) + `}]}}`
		for field, plan := range map[string]string{"plans.lost": "AUDIT", "plans.back": "CHAT"} {
			if got := changedLicences(t, field, record); len(got) > 1 || len(got) == 1 && got[0] != plan {
				t.Errorf("%s of %d bytes: %v", field, limit, got)
			}
		}
	}
	if _, err := compute("plans.los", nil); err == nil {
		t.Error("plans.los is no field")
	}
}
