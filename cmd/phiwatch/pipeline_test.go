package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

// TestARecordThatMakesRulesPanicIsPutAside has an engine without its parts
// evaluate records: each is quarantined with its bytes, its siblings go on.
func TestARecordThatMakesRulesPanicIsPutAside(t *testing.T) {
	v := &verdict{}
	body := `{"records":[{"category":"AuditLogs","operationName":"a"},{"category":"AuditLogs","operationName":"b"}]}`
	if err := v.decide(ingest.NewDecoder(), &detectors.Engine{}, ingest.Message{Position: ingest.Position{Sequence: 7}, Body: []byte(body)}); err != nil {
		t.Fatal(err)
	}
	if err := v.tally.Check(); err != nil {
		t.Error(err)
	}
	if len(v.quarantined) != 2 || v.tally.ForReason(ingest.Crashed) != 2 || len(v.matches) != 0 {
		t.Fatalf("got %d quarantined, %d crashed, %d matches; want 2, 2 and 0", len(v.quarantined), v.tally.ForReason(ingest.Crashed), len(v.matches))
	}
	if got, want := string(v.quarantined[1].Bytes), `{"category":"AuditLogs","operationName":"b"}`; got != want {
		t.Errorf("kept %s, want %s", got, want)
	}
	var log bytes.Buffer
	p := newPipeline(nil, &detectors.Engine{}, nil, ingest.NewQuarantine(0, 0), ingest.NewMetrics(prometheus.NewRegistry()), slog.New(slog.NewTextHandler(&log, nil)))
	p.tellCrashed(&ingest.Batch{Partition: ingest.Partition{Hub: "example/audit", ID: "3"}}, v)
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "hub=example/audit partition=3 records=2 sequence=7 index=0 err=\"panic while matching: ") {
		t.Errorf("logged %s", got)
	}
}

// TestAMessageThatMakesTheDecoderPanicIsPutAside gives the decoder a broken
// plan: the message is quarantined whole, and the next is decoded.
func TestAMessageThatMakesTheDecoderPanicIsPutAside(t *testing.T) {
	p := newPipeline(nil, &detectors.Engine{}, nil, ingest.NewQuarantine(0, 0), ingest.NewMetrics(prometheus.NewRegistry()), slog.New(slog.NewTextHandler(t.Output(), nil)))
	body := []byte(`{"category":"AuditLogs"}`)
	v := p.decide(ingest.Batch{Messages: []ingest.Message{{Body: body}, {Body: body}}})
	if err := v.tally.Check(); err != nil {
		t.Error(err)
	}
	if len(v.quarantined) != 2 || v.quarantined[0].Index != -1 || string(v.quarantined[0].Bytes) != string(body) {
		t.Errorf("got %+v, want both messages whole", v.quarantined)
	}
}
