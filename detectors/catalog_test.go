package detectors

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
	"github.com/prometheus/client_golang/prometheus"
	_ "modernc.org/sqlite"

	"phiwatch/detectors/rules"
	"phiwatch/ingest"
	"phiwatch/ingest/statements"
)

// TestCatalog runs every rule's test events, in the order of the file, through
// the real decoder and engine, and compares with the file's want.
func TestCatalog(t *testing.T) {
	e, db := loadCatalog(t), openDB(t)
	for _, r := range e.Rules() {
		t.Run(r.Entry, func(t *testing.T) {
			s, err := ReadScenario(rules.FS, r.File)
			if err != nil {
				t.Fatalf("every rule has test events beside it: %v", err)
			}
			got, err := e.Play(t.Context(), begin(t, db), r, s, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range s.Events {
				decodeAll(t, p.Body, func(ev *ingest.Event) {
					sameAsOracle(t, e, ev)
					if ev.Time.After(time.Now()) {
						t.Errorf("%s: an event of %s proves no more than the day on which it arrives: date it in the past", p.Name, ev.Time)
					}
				})
			}
			if diff := cmp.Diff(s.Want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func loadCatalog(t testing.TB) *Engine {
	t.Helper()
	lists, err := ScenarioLists(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	set, err := Load(lists, Source{FS: rules.FS})
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(set, NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// openDB returns a state database with this package's tables.
func openDB(t testing.TB) *sql.DB {
	t.Helper()
	db, err := statements.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "state.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	p, err := goose.NewProvider(goose.DialectSQLite3, db, Migrations())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// begin returns a transaction that is rolled back when the test ends.
func begin(t testing.TB, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(context.WithoutCancel(t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	return tx
}

// sameAsOracle holds the index and the extractor to plain evaluation.
func sameAsOracle(t *testing.T, e *Engine, ev *ingest.Event) {
	t.Helper()
	if diff := cmp.Diff(keys(e.matchAll(ev, nil)), keys(e.Match(ev, nil))); diff != "" {
		t.Errorf("index and plain evaluation differ (-plain +index) on\n%s\n%s", ev.Doc.Raw(), diff)
	}
}

// decodeAll decodes a payload and calls f with each event.
func decodeAll(t testing.TB, payload []byte, f func(*ingest.Event)) {
	t.Helper()
	ingest.NewDecoder().Decode(ingest.Message{Body: payload}, f, func(q ingest.Quarantined) {
		t.Fatalf("quarantined: %s: %s", q.Reason, q.Detail)
	})
}

// keys tells matches apart, in an order of its own.
func keys(matches []Match) []string {
	var out []string
	for i := range matches {
		m := &matches[i]
		entry := "-"
		if m.Finding.Rule != nil {
			entry = m.Finding.Rule.Entry
		}
		out = append(out, fmt.Sprint(entry, m.role, m.operation, m.outcome, m.Finding.State, m.Finding.Severity, m.Finding.Tenant, m.Finding.Subject, m.Finding.Time, m.silent, string(m.feeds), string(m.failed)))
	}
	slices.Sort(out)
	return out
}
