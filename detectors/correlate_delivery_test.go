package detectors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest"
)

// randomEvents returns records within the hour after noon.
func randomEvents(rng *rand.Rand, n int) []string {
	out := make([]string, n)
	for i := range out {
		op := []string{"Read", "Read", "Read", "Write", "Send", "Off", "On"}[rng.IntN(7)]
		user := []string{"ann@example.org", "Ann@Example.org", "ben@example.org"}[rng.IntN(3)]
		at := noon.Add(time.Duration(rng.IntN(120)) * 30 * time.Second)
		out[i] = auditRecord(i, at, op, user, string(rune('a'+rng.IntN(4))), rng.IntN(9))
	}
	return out
}

// clockEvent is so much later that nothing waits any more.
var clockEvent = auditRecord(999_999, noon.Add(30*time.Hour), "Read", "nobody@example.org", "clock", 0)

// Any order, repeats and split of a batch of events gives the same findings,
// whatever is rolled back, restarted and reloaded meanwhile.
func TestFindingsDoNotDependOnDelivery(t *testing.T) {
	set := setOf(t, correlationSet)
	rounds := 20
	if testing.Short() {
		rounds = 8
	}
	found := map[string]int{}
	for round := range rounds {
		rng := rand.New(rand.NewPCG(uint64(round), 1))
		events := randomEvents(rng, 10+rng.IntN(50))
		db := openDB(t)
		e := newEngine(t, set)
		want := applyBatch(t, e, db, true, events...)
		want = append(want, applyBatch(t, e, db, true, clockEvent)...)
		for i := range want {
			found[want[i].Rule.Entry]++
		}
		for range 3 {
			got := deliver(t, rng, set, events)
			if diff := cmp.Diff(tell(want), tell(got)); diff != "" {
				t.Fatalf("round %d (-in one batch +as delivered):\n%s\n%s", round, diff, strings.Join(events, "\n"))
			}
		}
	}
	for _, c := range set.correlations {
		if c.reports && found[c.rule.Entry] == 0 {
			t.Errorf("the events never make %s find anything", c.rule.Entry)
		}
	}
}

// deliver applies events shuffled, some of them twice, in batches of any size.
func deliver(t *testing.T, rng *rand.Rand, set *Set, events []string) []Finding {
	t.Helper()
	events = slices.Clone(events)
	for range len(events) / 4 {
		events = append(events, events[rng.IntN(len(events))])
	}
	rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	db := openDB(t)
	engines := []*Engine{newEngine(t, set), newEngine(t, set)} // as two replicas
	var got []Finding
	for len(events) > 0 {
		n := 1 + rng.IntN(min(len(events), 12))
		i := rng.IntN(len(engines))
		switch rng.IntN(6) {
		case 0: // the transaction is not committed, and tried again
			applyBatch(t, engines[i], db, false, events[:n]...)
			if rng.IntN(2) == 0 {
				i = 1 - i
			}
		case 1: // killed
			engines[i] = newEngine(t, set)
		}
		got = append(got, applyBatch(t, engines[i], db, true, events[:n]...)...)
		events = events[n:]
	}
	return append(got, applyBatch(t, engines[0], db, true, clockEvent)...)
}

// What a killed process had not committed is decided again to the same end, at
// every point at which it can be killed.
func TestCrashAnywhereIsLikeNoCrash(t *testing.T) {
	set := setOf(t, correlationSet)
	rng := rand.New(rand.NewPCG(7, 7))
	events := randomEvents(rng, 40)
	run := func(failAt int) (findings []string, journal int) {
		db := openDB(t)
		e := newEngine(t, set)
		var got []Finding
		calls := 0
		for batch := range slices.Chunk(events, 8) {
			for {
				tx, err := db.BeginTx(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				var matches []*Match
				var all []Match
				for _, p := range batch {
					decodeAll(t, []byte(p), func(ev *ingest.Event) { all = e.Match(ev, all) })
				}
				for i := range all {
					matches = append(matches, &all[i])
				}
				j := &failingJournal{journal: sqlJournal{t.Context(), tx}, calls: &calls, failAt: failAt}
				found, err := e.windows.apply(j, matches)
				if err != nil {
					tx.Rollback()
					continue // the same engine tries again
				}
				if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
				got = append(got, found...)
				break
			}
		}
		db.QueryRow(`SELECT SUM(events) FROM correlation_journal`).Scan(&journal)
		if calls < failAt {
			return nil, 0
		}
		return tell(got), journal
	}
	want, rows := run(0)
	if len(want) == 0 {
		t.Fatal("the events find nothing")
	}
	failAt := 1
	for ; ; failAt++ {
		got, journal := run(failAt)
		if got == nil {
			break
		}
		if diff := cmp.Diff(want, got); diff != "" || journal != rows {
			t.Fatalf("failed at call %d, journal of %d instead of %d events (-without +with):\n%s", failAt, journal, rows, diff)
		}
	}
	if failAt < 20 {
		t.Errorf("only %d places to fail at", failAt)
	}
}

// failingJournal fails one call.
type failingJournal struct {
	journal
	calls  *int
	failAt int
}

func (j *failingJournal) fail() error {
	if *j.calls++; *j.calls == j.failAt {
		return fmt.Errorf("call %d fails", j.failAt)
	}
	return nil
}

func (j *failingJournal) head() (int64, string, int64, error) {
	if err := j.fail(); err != nil {
		return 0, "", 0, err
	}
	return j.journal.head()
}

func (j *failingJournal) write(r journalRow) error {
	if err := j.fail(); err != nil {
		return err
	}
	return j.journal.write(r)
}

func (j *failingJournal) read(seq int64, name string) ([]byte, error) {
	if err := j.fail(); err != nil {
		return nil, err
	}
	return j.journal.read(seq, name)
}

func (j *failingJournal) advance(seq int64, writer string, newest int64) error {
	if err := j.fail(); err != nil {
		return err
	}
	return j.journal.advance(seq, writer, newest)
}

func (j *failingJournal) dropOlder(name string, at int64) error {
	if err := j.fail(); err != nil {
		return err
	}
	return j.journal.dropOlder(name, at)
}

// A reload keeps windows, also when the condition changes, but not when what is
// counted does.
func TestReloadKeepsWindows(t *testing.T) {
	rule := func(condition, group string) *Set {
		return setOf(t, `
title: read
name: read
logsource: {product: m365, service: audit}
detection: {s: {Operation: Read}, condition: s}
---
title: count
id: 3b1c9d00-0000-4000-8000-000000000009
correlation: {type: event_count, rules: [read], group-by: [`+group+`], timespan: 5m, condition: `+condition+`}
safeguard: {entry: count}
`)
	}
	db := openDB(t)
	event := func(i int) string {
		return auditRecord(i, noon.Add(time.Duration(i)*time.Second), "Read", "ann@example.org", "a", 1)
	}
	before := newEngine(t, rule("{gte: 9}", "UserId"))
	applyBatch(t, before, db, true, event(1), event(2))
	var inFlight []Match
	decodeAll(t, []byte(event(3)), func(ev *ingest.Event) { inFlight = before.Match(ev, nil) })

	other := newEngine(t, rule("{gte: 3}", "ObjectId"))
	if got := applyBatch(t, other, db, false, event(4)); len(got) != 0 {
		t.Errorf("windows of another group were used: %v", tell(got))
	}
	after := newEngine(t, rule("{gte: 3}", "UserId"))
	got, err := after.Apply(t.Context(), begin(t, db), inFlight)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Subject != "ann@example.org" {
		t.Errorf("found %v, want the third event, matched before the reload", tell(got))
	}
}
