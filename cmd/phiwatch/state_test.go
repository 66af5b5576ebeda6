package main

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"phiwatch/ingest"
)

// TestAStateOfANewerBuildIsLeftAlone: what its tables mean is not known.
func TestAStateOfANewerBuildIsLeftAlone(t *testing.T) {
	for _, table := range []string{"schema_ingest", "schema_detectors", "schema_alerting"} {
		d, file := idleDaemonOf(t)
		if _, err := d.db.Exec("INSERT INTO " + table + " (version_id, is_applied) VALUES (99, 1)"); err != nil {
			t.Fatal(err)
		}
		if err := d.close(); err != nil {
			t.Fatal(err)
		}
		d, err := newDaemon(t.Context(), func() (*config, error) { return loadConfig(file) }, slog.New(slog.NewTextHandler(t.Output(), nil)), io.Discard)
		if err == nil {
			_ = d.close()
		}
		if err == nil || !strings.Contains(err.Error(), table+" is at version 99 and this build knows ") ||
			!strings.Contains(err.Error(), "a newer phiwatch has written it; run that one, or put a backup from before in its place") {
			t.Errorf("got %v", err)
		}
	}
}

// TestAPositionThatWasForgottenIsNotStored has a flush come late: meanwhile the
// partition belongs to another owner, or was made anew and counts from the start.
func TestAPositionThatWasForgottenIsNotStored(t *testing.T) {
	d := idleDaemon(t)
	part := ingest.Partition{Hub: "example/audit/phiwatch", ID: "0"}
	b := ingest.Batch{Partition: part, Owner: "one", Messages: []ingest.Message{{Position: ingest.Position{Partition: part, Sequence: 7}}}}
	_, err := d.db.Exec(`INSERT INTO ownership (namespace, hub, consumer_group, partition, owner_id, etag, last_modified)
		VALUES ('example', 'audit', 'phiwatch', '0', 'one', 'e', $1)`, time.Now().UnixMicro())
	if err != nil {
		t.Fatal(err)
	}
	stored := func() bool {
		t.Helper()
		_, found, err := d.pipeline.positions.Load(t.Context(), d.db, part)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	d.pipeline.postpone(b)
	d.pipeline.forget(b)
	if err := d.pipeline.flushOne(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if stored() {
		t.Error("the position was stored although it was forgotten")
	}
	d.pipeline.postpone(b)
	if err := d.pipeline.flushOne(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if !stored() {
		t.Error("the position was not stored")
	}
}
