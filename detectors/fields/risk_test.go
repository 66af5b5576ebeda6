package fields

import (
	"slices"
	"testing"

	"phiwatch/ingest"
)

func TestWhichRiskARecordIsAbout(t *testing.T) {
	const properties = `"properties":{"id":"7d1c0b2a-1111-4e0e-9a2b-3c4d5e6f7a10","riskState":"atRisk","riskLevel":"high"`
	for record, want := range map[string][]string{
		`{"time":"2026-03-02T09:00:00Z","category":"UserRiskEvents",` + properties + `,"riskEventType":"leakedCredentials"}}`:             {"7d1c0b2a-1111-4e0e-9a2b-3c4d5e6f7a10"},
		`{"time":"2026-03-02T09:00:00Z","category":"ServicePrincipalRiskEvents",` + properties + `,"riskEventType":"leakedCredentials"}}`: {"7d1c0b2a-1111-4e0e-9a2b-3c4d5e6f7a10"},
		`{"id":"7d1c0b2a-1111-4e0e-9a2b-3c4d5e6f7a10","riskState":"atRisk","riskLevel":"high","riskEventType":"leakedCredentials"}`:       {"7d1c0b2a-1111-4e0e-9a2b-3c4d5e6f7a10"},
		`{"time":"2026-03-02T09:00:00Z","category":"RiskyUsers",` + properties + `}}`:                                                     nil,
	} {
		c, err := compute("risk.detection", nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		ingest.NewDecoder().Decode(ingest.Message{Body: []byte(record)}, func(ev *ingest.Event) {
			for _, v := range c.append(nil, ev) {
				got = append(got, v.Text)
			}
		}, func(q ingest.Quarantined) { t.Fatal(q.Detail) })
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", record, got, want)
		}
	}
	if _, err := compute("risk.user", nil); err == nil {
		t.Error("risk.user is no field")
	}
}
