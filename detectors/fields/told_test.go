package fields

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

func TestWhatRequestsLeaveOutAnswersTell(t *testing.T) {
	for name, tt := range map[string]struct {
		field, properties string
		want              []string
	}{
		"the request":             {"told.body.properties.state", `"requestbody":"{\"properties\":{\"state\":\"Enabled\"}}"`, []string{"Enabled"}},
		"the answer":              {"told.body.properties.state", `"responseBody":"{\"properties\":{\"state\":\"Disabled\"}}"`, []string{"Disabled"}},
		"the request first":       {"told.body.properties.state", `"requestbody":"{\"properties\":{\"state\":\"Enabled\"}}","responseBody":"{\"properties\":{\"state\":\"Disabled\"}}"`, []string{"Enabled"}},
		"a silent request":        {"told.body.properties.state", `"requestbody":"{\"tags\":{}}","responseBody":"{\"properties\":{\"state\":\"Disabled\"}}"`, []string{"Disabled"}},
		"one that cannot be read": {"told.body.properties.state", `"requestbody":"{\"properties\":{\"sta","responseBody":{"properties":{"state":"Disabled"}}`, []string{"Disabled"}},
		"a list":                  {"told.body.properties.logs[category=A].enabled", `"requestbody":{"properties":{"logs":[]}},"responseBody":{"properties":{"logs":[{"category":"B","enabled":false},{"category":"A","enabled":true}]}}`, []string{"true"}},
		"neither":                 {"told.body.properties.state", `"message":"x"`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := compute(tt.field, nil)
			if err != nil {
				t.Fatal(err)
			}
			record := `{"records":[{"time":"2026-11-24T08:00:00Z","category":"Administrative","operationName":"Microsoft.Sql/servers/auditingSettings/write","resultType":"Success","resourceId":"/subscriptions/s","correlationId":"c","properties":{` + tt.properties + `}}]}`
			events := 0
			ingest.NewDecoder().Decode(ingest.Message{Body: []byte(record)}, func(ev *ingest.Event) {
				events++
				var got []string
				for _, v := range c.append([]sigma.Value{}, ev) {
					got = append(got, v.Text)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", tt.field, diff)
				}
			}, func(q ingest.Quarantined) { t.Fatalf("quarantined: %s %s", q.Reason, q.Detail) })
			if events != 1 {
				t.Fatalf("%d events", events)
			}
		})
	}
	for _, name := range []string{"told.body", "told.properties.state", "told.body."} {
		if _, err := compute(name, nil); err == nil {
			t.Errorf("%s is no field", name)
		}
	}
}
