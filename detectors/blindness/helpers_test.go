package blindness

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/pressly/goose/v3"
	"github.com/prometheus/client_golang/prometheus"
	_ "modernc.org/sqlite"

	"phiwatch/detectors"
	"phiwatch/ingest"
	"phiwatch/ingest/statements"
)

// begin returns a transaction on a new state, which is rolled back when the test
// ends.
func begin(t *testing.T) *sql.Tx {
	t.Helper()
	db, err := statements.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "state.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	p, err := goose.NewProvider(goose.DialectSQLite3, db, detectors.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(context.WithoutCancel(t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	return tx
}

// fieldRule is a rule that reads one field of Entra's audit log.
func fieldRule(entry, field string) string {
	return fmt.Sprintf(`
title: T
logsource: {product: azure, service: auditlogs}
detection:
  selection: {%s: x}
  condition: selection
level: high
safeguard: {entry: %s, subject: properties.id}
`, field, entry)
}

// engineOf builds an engine from rule texts.
func engineOf(t *testing.T, rules ...string) *detectors.Engine {
	t.Helper()
	fsys := fstest.MapFS{}
	for i, r := range rules {
		fsys[fmt.Sprintf("audit/rule-%d.yml", i)] = &fstest.MapFile{Data: []byte(r)}
	}
	set, err := detectors.Load(nil, detectors.Source{FS: fsys})
	if err != nil {
		t.Fatal(err)
	}
	e, err := detectors.New(set, detectors.NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// decodeAll decodes a payload and calls f with each event.
func decodeAll(t testing.TB, payload []byte, f func(*ingest.Event)) {
	t.Helper()
	ingest.NewDecoder().Decode(ingest.Message{Body: payload}, f, func(q ingest.Quarantined) {
		t.Fatalf("quarantined: %s: %s", q.Reason, q.Detail)
	})
}
