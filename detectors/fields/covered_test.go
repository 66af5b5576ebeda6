package fields

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest"
)

func TestListedValuesThatAreNoLongerCovered(t *testing.T) {
	lists := map[string][]string{"apps": {"ehr", "Imaging"}}
	for _, c := range []struct {
		by, other any
		want      []string
	}{
		{[]string{"x"}, []string{"All"}, []string{"ehr", "Imaging"}},
		{[]string{"EHR", "x"}, []string{"All"}, []string{"Imaging"}},
		{[]string{"All"}, []string{"ehr"}, nil},
		{[]string{}, []string{"ehr", "x"}, []string{"ehr"}},
		{"imaging", " all ", []string{"ehr"}},
		{nil, nil, nil},
		{[]string{"x"}, []string{"y"}, nil},
	} {
		body, _ := json.Marshal(map[string]any{"CreationTime": "2026-03-02T09:00:00", "Operation": "o", "RecordType": 8, "Workload": "w", "By": c.by, "Other": c.other})
		for list, want := range map[string][]string{"apps": c.want, "none": nil} {
			field, err := compute("uncovered."+list+".By,Other", lists)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			ingest.NewDecoder().Decode(ingest.Message{Body: body}, func(ev *ingest.Event) {
				for _, v := range field.append(nil, ev) {
					got = append(got, v.Text)
				}
			}, func(q ingest.Quarantined) { t.Fatal(q.Detail) })
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("list %s, %s (-want +got):\n%s", list, body, diff)
			}
		}
	}
	for _, name := range []string{"uncovered.apps", "uncovered.apps.By"} {
		if _, err := compute(name, lists); err == nil {
			t.Errorf("%s is no field", name)
		}
	}
}
