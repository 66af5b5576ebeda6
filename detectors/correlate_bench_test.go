package detectors

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"phiwatch/ingest"
)

const (
	benchBatch = 1000 // events
	benchKeys  = 500
)

// benchCorrelation is one correlation that every event feeds.
func benchCorrelation(condition string) string {
	return `
title: read
name: read
logsource: {product: m365, service: audit}
detection: {s: {Operation: Read}, condition: s}
---
title: bench
correlation: {` + condition + `, rules: [read], group-by: [UserId], timespan: 10m}
safeguard: {entry: bench}
`
}

var benchConditions = []struct{ name, text string }{
	{"event_count", "type: event_count, condition: {gte: 1000}"},
	{"value_count", "type: value_count, condition: {field: ObjectId, gte: 1000}"},
	{"value_sum", "type: value_sum, condition: {field: Size, gte: 1000000}"},
}

// benchMatches are batches of matches of events 20 ms apart, over benchKeys users.
func benchMatches(b *testing.B, e *Engine, batches int) [][]Match {
	b.Helper()
	out := make([][]Match, batches)
	for i := range out {
		for k := range benchBatch {
			n := i*benchBatch + k
			p := auditRecord(n, noon.Add(time.Duration(n)*20*time.Millisecond), "Read", fmt.Sprintf("user%d@example.org", n%benchKeys), fmt.Sprint("file", n%97), 1)
			ingest.NewDecoder().Decode(ingest.Message{Body: []byte(p)}, func(ev *ingest.Event) { out[i] = e.Match(ev, out[i]) }, func(q ingest.Quarantined) { b.Fatal(q.Detail) })
		}
	}
	return out
}

func pointers(matches []Match) []*Match {
	out := make([]*Match, len(matches))
	for i := range matches {
		out[i] = &matches[i]
	}
	return out
}

// BenchmarkCorrelate is what one correlation costs for an event that feeds it:
// feed, the part of Match; memory, the windows without their journal; sqlite, the
// whole of Apply and the commit, in batches of 1,000 events over 500 groups, with
// the settings of the daemon.
func BenchmarkCorrelate(b *testing.B) {
	for _, c := range benchConditions {
		set := setOf(b, benchCorrelation(c.text))
		b.Run(c.name+"/feed", func(b *testing.B) {
			e := newEngine(b, set)
			p := auditRecord(1, noon, "Read", "user1@example.org", "file", 1)
			ingest.NewDecoder().Decode(ingest.Message{Body: []byte(p)}, func(ev *ingest.Event) {
				s := newScope(e.fields)
				s.begin(ev, &e.programs[ev.Kind])
				h := &e.halves[0]
				b.ReportAllocs()
				for b.Loop() {
					s.gen++ // the values are read anew
					h.feed(nil, s, "x")
				}
			}, func(q ingest.Quarantined) { b.Fatal(q.Detail) })
		})
		b.Run(c.name+"/memory", func(b *testing.B) { benchMemory(b, set) })
		b.Run(c.name+"/sqlite", func(b *testing.B) { benchSQLite(b, set) })
	}
}

// noJournal is a journal that keeps nothing.
type noJournal struct {
	journal
	seq    int64
	writer string
	newest int64
}

func (j *noJournal) head() (int64, string, int64, error) { return j.seq, j.writer, j.newest, nil }
func (j *noJournal) write(journalRow) error              { return nil }
func (j *noJournal) dropOlder(string, int64) error       { return nil }
func (j *noJournal) dropFirst(string, int64) error       { return nil }
func (j *noJournal) advance(seq int64, writer string, newest int64) error {
	j.seq, j.writer, j.newest = seq, writer, newest
	return nil
}

// benchBatches is how many batches the windows of a round get.
const benchBatches = 50

func benchMemory(b *testing.B, set *Set) {
	e := newEngine(b, set)
	batches := benchMatches(b, e, benchBatches)
	var lists [][]*Match
	for i := range batches {
		lists = append(lists, pointers(batches[i]))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		if i%benchBatches == 0 {
			b.StopTimer()
			e.windows = newCorrelator(set.correlations, e.metrics)
			b.StartTimer()
		}
		if _, err := e.windows.apply(&noJournal{seq: e.windows.seq, writer: e.windows.writer, newest: e.windows.newest}, lists[i%benchBatches]); err != nil {
			b.Fatal(err)
		}
	}
	perFed(b)
}

func benchSQLite(b *testing.B, set *Set) {
	e := newEngine(b, set)
	batches := benchMatches(b, e, benchBatches)
	var db *sql.DB
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		if i%benchBatches == 0 {
			b.StopTimer()
			db = durableDB(b)
			b.StartTimer()
		}
		tx, err := db.BeginTx(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := e.Apply(b.Context(), tx, batches[i%benchBatches]); err != nil {
			b.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	perFed(b)
}

// durableDB is a state database with the daemon's settings.
func durableDB(b *testing.B) *sql.DB {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "state.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	p, err := goose.NewProvider(goose.DialectSQLite3, db, Migrations())
	if err != nil {
		b.Fatal(err)
	}
	if _, err := p.Up(b.Context()); err != nil {
		b.Fatal(err)
	}
	return db
}

func perFed(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchBatch, "ns/event")
}
