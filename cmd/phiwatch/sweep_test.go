package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"phiwatch/alerting"
	"phiwatch/detectors"
	"phiwatch/detectors/blindness"
	"phiwatch/ingest"
	parsed "phiwatch/ingest/document"
)

// TestNothingClosesByTimeWhileRecordsAreLate has an incident be quiet for long
// enough while the watch has not judged, the hub is read late, and records reach
// the hub late. Time is what the test says.
func TestNothingClosesByTimeWhileRecordsAreLate(t *testing.T) {
	d := idleDaemon(t)
	var log bytes.Buffer
	d.log = slog.New(slog.NewTextHandler(&log, nil))
	now := time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)
	quiet := &detectors.Meta{Entry: "emergency-signin", Title: "Emergency account used", Group: "authentication", Quiet: time.Hour}
	d.apply(t, detectors.Finding{
		Rule: quiet, State: detectors.Incident, Tenant: "t1", Subject: "ann@example.org", Severity: detectors.High, Time: now,
		Evidence: detectors.Evidence{EventID: "e1", Time: now},
	})
	now = now.Add(3 * time.Hour)
	hub := blindness.HubHealth{Hub: "example/audit", Connected: true, Known: true}
	send := func(late time.Duration) {
		g := d.watch.Begin(&ingest.Batch{Partition: ingest.Partition{Hub: hub.Hub}})
		for range 100 {
			g.Event(&ingest.Event{Kind: ingest.EntraAudit, Tenant: "t1", Time: now.Add(-late), Enqueued: now, Doc: &parsed.Document{}})
		}
		d.watch.Saw(g, now)
	}
	for _, step := range []struct {
		name  string
		do    func()
		judge bool
		want  alerting.Status
	}{
		{"the watch has not judged yet", func() {}, false, alerting.StatusOpen},
		{"the hub is read late", func() { hub.Behind = time.Hour }, true, alerting.StatusOpen},
		{"records reach the hub late", func() { hub.Behind = 0; send(5 * time.Hour) }, true, alerting.StatusOpen},
		{"and still do", func() { send(5 * time.Hour) }, true, alerting.StatusOpen},
		{"half an hour later they are in time", func() { now = now.Add(30 * time.Minute); send(time.Minute) }, true, alerting.StatusOpen},
		{"and stay so", func() { now = now.Add(5 * time.Minute); send(time.Minute) }, true, alerting.StatusClosed},
	} {
		step.do()
		if step.judge {
			if err := d.pipeline.judge(t.Context(), now, []blindness.HubHealth{hub}); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.sweepLedger(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		if got := d.statusOf(t, quiet.Entry); got != step.want {
			t.Errorf("%s: the incident is %s, want %s", step.name, got, step.want)
		}
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	want := []string{"not been judged yet", "example/audit is read late", "records of t1 + entra-audit arrive late", "records are in time"}
	if len(lines) != len(want) {
		t.Fatalf("got %d log lines, want %d:\n%s", len(lines), len(want), log.String())
	}
	for i, line := range lines {
		if !strings.Contains(line, want[i]) {
			t.Errorf("got %s, want %s", line, want[i])
		}
	}
}

// apply takes findings into the ledger.
func (d *daemon) apply(t *testing.T, findings ...detectors.Finding) {
	t.Helper()
	tx, err := d.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if err := d.ledger.Apply(t.Context(), tx, findings); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// statusOf returns the state of the one violation of an entry.
func (d *daemon) statusOf(t *testing.T, entry string) alerting.Status {
	t.Helper()
	all, err := allViolations(t.Context(), d.ledger)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if v.Entry == entry {
			return v.State
		}
	}
	t.Fatalf("no violation of %s", entry)
	return ""
}

// TestTheTimeInWhichTheUnifiedAuditLogWasOff sends the records of the
// switch through the pipeline, the later one first.
func TestTheTimeInWhichTheUnifiedAuditLogWasOff(t *testing.T) {
	d := idleDaemon(t)
	part := ingest.Partition{Hub: "example/off", ID: "0"}
	s := scenario(t, "audit/ual-ingestion-off.yml")
	for i, name := range []string{"restore", "hit", "restore", "hit"} {
		b := ingest.Batch{Partition: part, Messages: []ingest.Message{{
			Position: ingest.Position{Partition: part, Sequence: int64(i)}, Body: s.Body(name), Enqueued: time.Date(2026, 9, 3, 2, i, 0, 0, time.UTC),
		}}}
		if err := d.pipeline.handle(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if err := d.pipeline.judge(t.Context(), time.Now(), nil); err != nil {
			t.Fatal(err)
		}
	}
	all, err := allViolations(t.Context(), d.ledger)
	if err != nil {
		t.Fatal(err)
	}
	var gaps []alerting.Violation
	for _, v := range all {
		if v.Entry == "evidence-gap" {
			gaps = append(gaps, v)
		}
	}
	if len(gaps) != 1 {
		t.Fatalf("got %d incidents, want one", len(gaps))
	}
	v := gaps[0]
	const tenant = "7d3c2b1a-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
	if v.Tenant != tenant || v.Subject != tenant+" + m365-audit" || v.State != alerting.StatusOpen || v.Repeats != 0 ||
		v.Action != "switched off from 2026-09-03T01:12:09Z to 2026-09-03T01:44:31Z, for 33 min" {
		t.Errorf("got %+v", v)
	}
}
