package fields

import (
	"testing"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

func TestResourceIDWhereverTheShapeHasIt(t *testing.T) {
	for _, record := range []string{
		`{"records":[{"time":"2026-11-24T08:00:00Z","category":"Administrative","operationName":"A/b/write","resultType":"Success","resourceId":"/subscriptions/s","correlationId":"c","properties":{}}]}`,
		`{"records":[{"Type":"AzureActivity","TimeGenerated":"2026-11-24T08:00:00Z","CategoryValue":"Administrative","OperationNameValue":"A/b/write","ActivityStatusValue":"Success","_ResourceId":"/subscriptions/s","CorrelationId":"c"}]}`,
		`{"event_timestamp":"2026-11-24T08:00:00Z","category":{"value":"Administrative"},"operation_name":{"value":"A/b/write"},"status":{"value":"Succeeded"},"resource_id":"/subscriptions/s","correlation_id":"c","event_data_id":"e"}`,
	} {
		c, err := compute("ResourceId", nil)
		if err != nil {
			t.Fatal(err)
		}
		events := 0
		ingest.NewDecoder().Decode(ingest.Message{Body: []byte(record)}, func(ev *ingest.Event) {
			events++
			values := c.append([]sigma.Value{}, ev)
			if len(values) != 1 || values[0].Text != "/subscriptions/s" || ev.Kind != ingest.AzureActivity {
				t.Errorf("%s: %s read as %v, want /subscriptions/s", record, ev.Kind, values)
			}
		}, func(q ingest.Quarantined) { t.Fatalf("quarantined: %s %s", q.Reason, q.Detail) })
		if events != 1 {
			t.Fatalf("%d events", events)
		}
	}
}
