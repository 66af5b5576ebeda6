package fields

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

func TestResourcesWithinAScope(t *testing.T) {
	lists := map[string][]string{"phi": {"/subscriptions/s/resourceGroups/rg-EHR/providers/Microsoft.Sql/servers/ehr", "/subscriptions/t/resourceGroups/rg-lab/"}}
	ehr, lab := "/subscriptions/s/resourcegroups/rg-ehr/providers/microsoft.sql/servers/ehr", "/subscriptions/t/resourcegroups/rg-lab"
	for id, want := range map[string][]string{
		"/SUBSCRIPTIONS/S/RESOURCEGROUPS/RG-EHR/PROVIDERS/MICROSOFT.AUTHORIZATION/LOCKS/KEEP":                                    {ehr},
		"/subscriptions/s/resourceGroups/rg-ehr/providers/Microsoft.Sql/servers/ehr/providers/Microsoft.Authorization/locks/k":   {ehr},
		"/subscriptions/s/providers/Microsoft.Authorization/locks/keep":                                                          {ehr},
		"/subscriptions/t/resourceGroups/rg-lab/providers/Microsoft.Authorization/locks/keep":                                    {lab},
		"/subscriptions/s/resourceGroups/rg-eh/providers/Microsoft.Authorization/locks/keep":                                     nil,
		"/subscriptions/s/resourceGroups/rg-ehr/providers/Microsoft.Sql/servers/other/providers/Microsoft.Authorization/locks/k": nil,
		"/providers/Microsoft.Authorization/locks/keep":                                                                          nil,
		"": nil,
	} {
		c, err := compute("within.phi.resourceId", lists)
		if err != nil {
			t.Fatal(err)
		}
		record := `{"records":[{"time":"2026-11-24T08:00:00Z","category":"Administrative","operationName":"Microsoft.Authorization/locks/delete","resultType":"Success","resourceId":"` + id + `","correlationId":"c","properties":{}},` +
			`{"TimeGenerated":"2026-11-24T08:00:00Z","CategoryValue":"Administrative","OperationNameValue":"Microsoft.Authorization/locks/delete","ActivityStatusValue":"Success","_ResourceId":"` + id + `","CorrelationId":"c"}]}`
		events := 0
		ingest.NewDecoder().Decode(ingest.Message{Body: []byte(record)}, func(ev *ingest.Event) {
			events++
			var got []string
			for _, v := range c.append([]sigma.Value{}, ev) {
				got = append(got, v.Text)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", id, diff)
			}
		}, func(q ingest.Quarantined) { t.Fatalf("quarantined: %s %s", q.Reason, q.Detail) })
		if events != 2 {
			t.Fatalf("%d events", events)
		}
	}
	if _, err := compute("within.phi", nil); err == nil {
		t.Error("within.phi is no field")
	}
	if got := ListsOf("within.phi.resourceId"); !cmp.Equal(got, []string{"phi"}) {
		t.Errorf("reads lists %v", got)
	}
}
