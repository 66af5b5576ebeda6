package alerting_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
	"github.com/prometheus/client_golang/prometheus"
	_ "modernc.org/sqlite"

	"phiwatch/alerting"
	"phiwatch/detectors"
	"phiwatch/detectors/rules"
	"phiwatch/ingest"
	"phiwatch/ingest/statements"
)

// TestCatalogGivesTheSameLedgerInAnyOrder plays every entry's test events
// through the real decoder, engine and ledger: in the order of the file,
// backwards, so that restores come before what they restore, and shuffled, as far
// as none is later than 72 hours; with repeats, in batches of any size.
func TestCatalogGivesTheSameLedgerInAnyOrder(t *testing.T) {
	c := catalogOf(t)
	for part := range 2 { // one database each
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			db := catalogDB(t)
			for i, file := range c.files {
				if i%2 == part {
					playInAnyOrder(t, db, file, c.lists)
				}
			}
		})
	}
}

// catalog is the built-in one.
type catalog struct {
	files []string
	lists map[string][]string // of its test events
	whole *detectors.Set
}

func catalogOf(t *testing.T) *catalog {
	t.Helper()
	files, err := fs.Glob(rules.FS, "*/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	lists, err := detectors.ScenarioLists(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := detectors.Load(lists, detectors.Source{FS: rules.FS})
	if err != nil {
		t.Fatal(err)
	}
	return &catalog{files, lists, whole}
}

// rule returns a rule of the catalog, and the set that its events are for: itself
// alone, or if it correlates others, all of them.
func (c *catalog) rule(t *testing.T, file string) (rule []byte, correlates bool, set *detectors.Set) {
	t.Helper()
	rule, err := fs.ReadFile(rules.FS, file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(rule, []byte("\ncorrelation:")) {
		return rule, true, c.whole
	}
	set, err = detectors.Load(c.lists, detectors.Source{FS: fstest.MapFS{file: {Data: rule}}})
	if err != nil {
		t.Fatal(err)
	}
	return rule, false, set
}

func playInAnyOrder(t *testing.T, db *sql.DB, file string, lists map[string][]string) {
	t.Helper()
	rule, err := fs.ReadFile(rules.FS, file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(rule, []byte("\ncorrelation:")) {
		return // its windows are tested with it
	}
	s, err := detectors.ReadScenario(rules.FS, file)
	if err != nil {
		t.Fatal(err)
	}
	p := &player{t: t, db: db, engine: loadOne(t, file, rule, lists)}
	records := p.match(s)
	r := rand.New(rand.NewPCG(uint64(len(file)), 7))
	want := p.ledger(r, records, false)
	for trial := range 5 {
		for _, near := range inTime(records) {
			if trial == 0 {
				slices.Reverse(near)
			} else {
				r.Shuffle(len(near), func(i, j int) { near[i], near[j] = near[j], near[i] })
			}
		}
		if diff := cmp.Diff(want, p.ledger(r, records, true)); diff != "" {
			t.Errorf("%s, order %d, against that of the file (-want +got):\n%s", file, trial, diff)
		}
	}
}

// inTime cuts sorted records into parts within which any may be late.
func inTime(records []played) (parts [][]played) {
	slices.SortStableFunc(records, func(a, b played) int { return a.at.Compare(b.at) })
	for len(records) > 0 {
		n := 1
		for n < len(records) && records[n].at.Sub(records[0].at) < 72*time.Hour {
			n++
		}
		parts, records = append(parts, records[:n]), records[n:]
	}
	return parts
}

// loadOne makes an engine of one rule.
func loadOne(t *testing.T, file string, rule []byte, lists map[string][]string) *detectors.Engine {
	t.Helper()
	set, err := detectors.Load(lists, detectors.Source{FS: fstest.MapFS{file: {Data: rule}}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := detectors.New(set, detectors.NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

type player struct {
	t      *testing.T
	db     *sql.DB
	engine *detectors.Engine
}

// played is what a record of a scenario matches.
type played struct {
	at      time.Time
	matches []detectors.Match
}

// match returns the matches of each record of a scenario.
func (p *player) match(s *detectors.Scenario) []played {
	var out []played
	for _, payload := range s.Events {
		ingest.NewDecoder().Decode(ingest.Message{Body: payload.Body}, func(ev *ingest.Event) {
			out = append(out, played{ev.Time, p.engine.Match(ev, nil)})
		}, func(q ingest.Quarantined) { p.t.Fatalf("%s: quarantined: %s", payload.Name, q.Detail) })
	}
	return out
}

// ledger returns the violations that records in this order come to.
func (p *player) ledger(r *rand.Rand, records []played, repeats bool) []alerting.Violation {
	p.t.Helper()
	empty(p.t, p.db)
	l, err := alerting.NewLedger(p.db, alerting.Options{}, slog.New(slog.NewTextHandler(p.t.Output(), nil)), prometheus.NewRegistry())
	if err != nil {
		p.t.Fatal(err)
	}
	for rest := records; len(rest) > 0; {
		n := 1
		if repeats {
			n += r.IntN(min(len(rest), 4))
		}
		p.batch(l, rest[:n])
		if repeats && r.IntN(3) == 0 {
			p.batch(l, rest[:n])
		}
		rest = rest[n:]
	}
	all := everyViolation(p.t, l)
	for i := range all {
		all[i] = anyName(all[i])
	}
	slices.SortFunc(all, func(a, b alerting.Violation) int {
		return slices.Compare([]string{a.Entry, a.Subject, a.Tenant}, []string{b.Entry, b.Subject, b.Tenant})
	})
	return all
}

// everyViolation returns the whole ledger, which may be more than a page.
func everyViolation(t *testing.T, l *alerting.Ledger) (all []alerting.Violation) {
	t.Helper()
	for f := (alerting.Filter{Limit: alerting.MaxLimit}); ; {
		page, next, err := l.Violations(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if all, f.Cursor = append(all, page...), next; next == "" {
			return all
		}
	}
}

func (p *player) batch(l *alerting.Ledger, records []played) {
	p.t.Helper()
	var matches []detectors.Match
	for _, r := range records {
		matches = append(matches, r.matches...)
	}
	ctx := p.t.Context()
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	defer tx.Rollback()
	findings, err := p.engine.Apply(ctx, tx, matches)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := l.Apply(ctx, tx, findings); err != nil {
		p.t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		p.t.Fatal(err)
	}
}

func catalogDB(t *testing.T) *sql.DB {
	t.Helper()
	db, err := statements.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "state.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for i, migrations := range []fs.FS{detectors.Migrations(), alerting.Migrations()} {
		m, err := goose.NewProvider(goose.DialectSQLite3, db, migrations, goose.WithTableName(fmt.Sprint("goose_", i)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Up(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// empty forgets all state.
func empty(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, table := range []string{
		"violations", "observations", "idle_restores", "evidence", "deliveries", "delivery_members", "ledger_counts",
		"activity_joins", "known_notes", "unknown_weak", "regained", "remembered", "renames", "aliases", "alias_waiting",
	} {
		if _, err := db.Exec("DELETE FROM " + table); err != nil {
			t.Fatal(err)
		}
	}
}
