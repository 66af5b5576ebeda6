package hospital

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

var noon = time.Date(2026, 9, 14, 12, 0, 0, 0, time.UTC)

func TestEveryTemplateGivesOneWholeRecord(t *testing.T) {
	h := New(1)
	for _, name := range h.Names() {
		r := h.RecordOf(name, noon)
		if !json.Valid(r) {
			t.Errorf("%s: not JSON: %s", name, r)
		}
		if bytes.Contains(r, []byte("{{")) {
			t.Errorf("%s: a placeholder is left: %s", name, r)
		}
	}
}

func TestSameSeedSameRecords(t *testing.T) {
	a, b, c := New(7), New(7), New(8)
	same, other := true, true
	for range 50 {
		r := a.Record(noon)
		same = same && bytes.Equal(r, b.Record(noon))
		other = other && bytes.Equal(r, c.Record(noon))
	}
	if !same || other {
		t.Errorf("same seed gives same records: %v; another seed gives the same: %v", same, other)
	}
}

func TestMessageIsADiagnosticSettingsMessage(t *testing.T) {
	h := New(1)
	var m struct{ Records []json.RawMessage }
	if err := json.Unmarshal(Message(h.Record(noon), h.Record(noon)), &m); err != nil || len(m.Records) != 2 {
		t.Fatalf("got %d records, error %v; want 2", len(m.Records), err)
	}
}
