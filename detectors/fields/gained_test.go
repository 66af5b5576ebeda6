package fields

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

func TestGainedItems(t *testing.T) {
	for _, tt := range []struct {
		now, before string
		want        []string
	}{
		{"a.example,b.example", "a.example", []string{"b.example"}},
		{"B.example a.example", "a.example,b.example", nil},
		{"a.example", "a.example.net,b.example", []string{"a.example"}},
		{`[\"a.example\",\"b.example\"]`, "b.example; c.example", []string{"a.example"}},
		{"203.0.113.7 | 198.51.100.0/24", "203.0.113.7", []string{"198.51.100.0/24"}},
		{"a.example;a.example", "", []string{"a.example"}},
		{"", "a.example", nil},
	} {
		record := `{"Workload":"SharePoint","RecordType":4,"Operation":"SharingPolicyChanged","Id":"1","CreationTime":"2026-11-24T08:00:00","OrganizationId":"t",
			"ModifiedProperties":[{"Name":"AllowDomainList","OldValue":"` + tt.before + `","NewValue":"` + tt.now + `"}]}`
		c, err := compute("gained.modified.AllowDomainList.new,modified.AllowDomainList.old", nil)
		if err != nil {
			t.Fatal(err)
		}
		events := 0
		ingest.NewDecoder().Decode(ingest.Message{Body: []byte(record)}, func(ev *ingest.Event) {
			events++
			var got []string
			for _, v := range c.append([]sigma.Value{}, ev) {
				got = append(got, v.Text)
			}
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%q after %q (-want +got):\n%s", tt.now, tt.before, diff)
			}
		}, func(q ingest.Quarantined) { t.Fatalf("quarantined: %s %s", q.Reason, q.Detail) })
		if events != 1 {
			t.Fatalf("%d events", events)
		}
	}
	if _, err := compute("gained.a", nil); err == nil {
		t.Error("gained.a is no field")
	}
}
