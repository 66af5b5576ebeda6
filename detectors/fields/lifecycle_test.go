package fields

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDaysOfALifeCycle(t *testing.T) {
	type m = map[string]any
	deletes := func(what m) m { return m{"definition": m{"actions": m{"baseBlob": m{"delete": what}}}} }
	with := func(r m, enabled any) m {
		r["enabled"] = enabled
		return r
	}
	for name, test := range map[string]struct {
		rules any
		want  []string
	}{
		"on unless it says otherwise": {[]m{deletes(m{"daysAfterModificationGreaterThan": 30}), with(deletes(m{"daysAfterModificationGreaterThan": 10}), false)}, []string{"30"}},
		"as texts":                    {[]m{with(deletes(m{"DaysAfterCreationGreaterThan": "90"}), "True"), with(deletes(m{"daysAfterCreationGreaterThan": 5}), "False")}, []string{"90"}},
		"several":                     {[]m{deletes(m{"daysAfterLastAccessTimeGreaterThan": 400.5}), deletes(m{"daysAfterModificationGreaterThan": 3000})}, []string{"400.5", "3000"}},
		"one that is no list":         {deletes(m{"daysAfterModificationGreaterThan": 7}), []string{"7"}},
		"versions only":               {[]m{{"definition": m{"actions": m{"version": m{"delete": m{"daysAfterCreationGreaterThan": 7}}}}}}, nil},
		"nothing deleted":             {[]m{{"definition": m{"actions": m{"baseBlob": m{"tierToCool": m{"daysAfterModificationGreaterThan": 7}}}}}}, nil},
		"something else":              {[]any{"x", nil, 1}, nil},
		"no rules":                    {[]m{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := json.Marshal(m{"properties": m{"policy": m{"rules": test.rules}}})
			if err != nil {
				t.Fatal(err)
			}
			record := m{"time": "2026-03-02T09:00:00Z", "category": "Administrative", "operationName": "MICROSOFT.STORAGE/STORAGEACCOUNTS/MANAGEMENTPOLICIES/WRITE", "resultType": "Success",
				"resourceId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a/managementPolicies/default",
				"properties": m{"requestbody": string(body)}}
			got := told(t, "lifecycle.body.properties.policy.rules", record)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("days (-want +got):\n%s", diff)
			}
		})
	}
}
