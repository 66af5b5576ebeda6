package detectors

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"phiwatch/ingest"
)

// correlationSet is one correlation of each kind over three plain rules and an
// entry of a catalog.
const correlationSet = `
title: read
name: read
logsource: {product: m365, service: audit}
detection: {s: {Operation: Read}, condition: s}
---
title: write
name: write
logsource: {product: m365, service: audit}
detection: {s: {Operation: Write}, condition: s}
---
title: send
name: send
logsource: {product: m365, service: audit}
detection: {s: {Operation: Send}, condition: s}
---
title: weakened
id: 3b1c9d00-0000-4000-8000-000000000001
logsource: {product: m365, service: audit}
detection: {s: {Operation: Off}, condition: s}
level: low
safeguard:
  entry: switch
  subject: ObjectId
  outcome: any
  restored: {s: {Operation: On}, condition: s}
---
title: count
correlation: {type: event_count, rules: [read, write], group-by: [UserId], timespan: 5m, condition: {gte: 4}}
safeguard: {entry: count, name: ObjectId}
---
title: distinct
correlation: {type: value_count, rules: [read], group-by: [event.actor, event.tenant], timespan: 10m, condition: {field: ObjectId, gte: 3}}
safeguard: {entry: distinct}
level: high
---
title: sum
correlation: {type: value_sum, rules: [read, send], group-by: [UserId], timespan: 10m, condition: {field: Size, gt: 12}}
safeguard: {entry: sum, incident: false}
---
title: average
correlation: {type: value_avg, rules: [read], group-by: [UserId], timespan: 10m, condition: {field: Size, gt: 5}}
safeguard: {entry: average, lateness: 3h}
---
title: few
correlation: {type: event_count, rules: [read], group-by: [UserId], timespan: 10m, condition: {gte: 2, lte: 3}}
safeguard: {entry: few, lateness: 3h}
---
title: near
correlation: {type: temporal, rules: [read, write, send], group-by: [ObjectId], timespan: 5m}
safeguard: {entry: near}
---
title: in order
correlation:
  type: temporal_ordered
  rules: [switch, send, "switch:restored"]
  group-by: [thing]
  aliases: {thing: {switch: event.subject, send: ObjectId, "switch:restored": event.subject}}
  timespan: 15m
safeguard: {entry: in-order, subject: [thing, UserId]}
level: critical
---
title: many
name: many
correlation: {type: event_count, rules: [read], group-by: [UserId, ObjectId], timespan: 10m, condition: {gt: 1}}
---
title: many then send
correlation: {type: temporal_ordered, rules: [many, send], group-by: [UserId], timespan: 10m}
safeguard: {entry: many-then-send}
---
title: few then send
correlation: {type: temporal_ordered, rules: [few, send], group-by: [UserId], timespan: 10m}
safeguard: {entry: few-then-send}
---
title: any finding of a thing, twice
correlation: {type: event_count, rules: ["*", "*:restored"], group-by: [event.entry, event.subject], timespan: 10m, condition: {gte: 3}}
safeguard: {entry: flapping}
`

func auditRecord(id int, at time.Time, op, user, object string, size int) string {
	b, _ := json.Marshal(map[string]any{
		"Id": fmt.Sprintf("id-%d", id), "CreationTime": at.UTC().Format("2006-01-02T15:04:05"), "Operation": op, "RecordType": 6, "Workload": "SharePoint",
		"OrganizationId": "t1", "UserId": user, "ObjectId": object, "Size": size, "ResultStatus": "Succeeded", "ClientIP": "203.0.113.9",
	})
	return string(b)
}

var noon = time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)

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

func setOf(t testing.TB, text string) *Set {
	t.Helper()
	set, err := Load(nil, Source{FS: fstest.MapFS{"stateful/set.yml": {Data: []byte(text)}}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func newEngine(t testing.TB, set *Set) *Engine {
	t.Helper()
	e, err := New(set, NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// applyBatch decides payloads in one transaction.
func applyBatch(t testing.TB, e *Engine, db *sql.DB, commit bool, payloads ...string) []Finding {
	t.Helper()
	tx, err := db.BeginTx(context.WithoutCancel(t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	var matches []Match
	for _, p := range payloads {
		decodeAll(t, []byte(p), func(ev *ingest.Event) { matches = e.Match(ev, matches) })
	}
	findings, err := e.Apply(t.Context(), tx, matches)
	if err != nil {
		t.Fatal(err)
	}
	if commit {
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	return findings
}

// tell writes findings so that equal ones are equal, each once.
func tell(findings []Finding) []string {
	var out []string
	for i := range findings {
		f := &findings[i]
		out = append(out, fmt.Sprintf("%s %s %s %s %s %q by %s, %s %s", f.Time.Format("15:04:05"), f.Rule.Entry, f.State, f.Severity, f.Subject, f.Name,
			f.Evidence.Actor, f.Evidence.Action, f.Evidence.EventID))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// clockEvent is so much later that nothing waits any more.
var clockEvent = auditRecord(999_999, noon.Add(30*time.Hour), "Read", "nobody@example.org", "clock", 0)

// Any order, repeats and split of a batch of events gives the same findings,
// whatever is rolled back, restarted and reloaded meanwhile.
func TestFindingsDoNotDependOnDelivery(t *testing.T) {
	set := setOf(t, correlationSet)
	rounds := 40
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

func TestEvidenceListsTheEvents(t *testing.T) {
	e, db := newEngine(t, setOf(t, correlationSet)), openDB(t)
	var got []Finding
	for i := range 4 {
		got = append(got, applyBatch(t, e, db, true, auditRecord(i, noon.Add(time.Duration(i)*time.Minute), "Write", "ann@example.org", "a", 1))...)
	}
	if len(got) != 1 {
		t.Fatalf("found %v", tell(got))
	}
	var p proof
	if err := json.Unmarshal(got[0].Evidence.Record, &p); err != nil {
		t.Fatal(err)
	}
	if p.Count != 4 || len(p.Events) != 4 || p.Events[0].EventID != "m365-audit/id-0" || !strings.Contains(p.Events[0].Rule, "write") || len(p.Record) == 0 {
		t.Errorf("evidence %s", got[0].Evidence.Record)
	}
	if want := "correlation/count/"; !strings.HasPrefix(got[0].Evidence.EventID, want) || !strings.HasSuffix(got[0].Evidence.EventID, "m365-audit/id-3") {
		t.Errorf("id %q", got[0].Evidence.EventID)
	}
}

// An Activity request feeds with the time of its result, in any order.
func TestJoinedRequestsFeed(t *testing.T) {
	const set = tlsRule + `
---
title: two accounts weakened
correlation: {type: event_count, rules: [tls], group-by: [event.tenant], timespan: 10m, condition: {gte: 2}}
safeguard: {entry: twice}
`
	events := []string{
		activity("2026-09-14T08:00:00Z", "c1", "Start", "TLS1_0"), activity("2026-09-14T08:01:00Z", "c1", "Success", ""),
		activity("2026-09-14T08:02:00Z", "c2", "Start", "TLS1_0"), activity("2026-09-14T08:03:00Z", "c2", "Success", ""),
		activity("2026-09-14T08:04:00Z", "c3", "Start", "TLS1_0"), activity("2026-09-14T08:05:00Z", "c3", "Failure", ""),
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		e, db := newEngine(t, setOf(t, set)), openDB(t)
		var got []string
		for _, p := range events {
			for _, f := range applyBatch(t, e, db, true, p) {
				if f.Rule.Entry == "twice" {
					got = append(got, f.Time.Format("15:04 ")+f.Subject)
				}
			}
		}
		if diff := cmp.Diff([]string{"08:03 t"}, got); diff != "" {
			t.Fatalf("(-want +got):\n%s\n%s", diff, strings.Join(events, "\n"))
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	const text = `
title: read
name: read
logsource: {product: m365, service: audit}
detection: {s: {Operation: Read}, condition: s}
---
title: noisy
correlation: {type: event_count, rules: [read], group-by: [UserId], timespan: 5m, condition: {gte: 900}}
safeguard: {entry: noisy}
---
title: rare
correlation: {type: event_count, rules: [read], group-by: [Rare], timespan: 5m, condition: {gte: 900}}
safeguard: {entry: rare}
`
	for name, c := range map[string]struct {
		bounds          bounds
		reason          eviction
		windows, events int // at most
	}{
		"window":  {bounds{windows: 1000, samples: 1000}, fullWindow, 101, 300},
		"windows": {bounds{windows: 50, samples: 1000}, tooManyWindows, 50, 1000},
		"total":   {bounds{windows: 1000, samples: 200}, full, 1000, 200},
	} {
		t.Run(name, func(t *testing.T) {
			e, db := newEngine(t, setOf(t, text)), openDB(t)
			e.windows.bounds = c.bounds
			if name == "window" {
				for _, n := range e.windows.nodes {
					n.capacity = 2
				}
			}
			for i := range 80 {
				var batch []string
				for k := range 10 {
					n := i*10 + k
					batch = append(batch, auditRecord(n, noon.Add(time.Duration(n)*time.Second), "Read", fmt.Sprintf("user%d@example.org", n%100), "a", 1))
				}
				batch[0] = strings.Replace(batch[0], "{", `{"Rare":"x",`, 1)
				applyBatch(t, e, db, true, batch...)
			}
			if e.windows.windows > c.windows || e.windows.samples > c.events {
				t.Errorf("%d windows, %d events", e.windows.windows, e.windows.samples)
			}
			if n := testutil.ToFloat64(e.metrics.evicted[c.reason]); n == 0 {
				t.Error("evictions are not counted")
			}
			checkCounts(t, e.windows)
			if len(e.windows.nodes[1].windows) == 0 {
				t.Error("the noisy correlation pushed out the rare one")
			}
			again := newEngine(t, setOf(t, text))
			again.windows.bounds = c.bounds
			applyBatch(t, again, db, true, auditRecord(9999, noon.Add(2*time.Hour), "Read", "user1@example.org", "a", 1))
			checkCounts(t, again.windows)
		})
	}
}

// checkCounts holds the running counts against the windows.
func checkCounts(t *testing.T, c *correlator) {
	t.Helper()
	windows, samples := 0, 0
	for _, n := range c.nodes {
		own := 0
		for _, w := range n.windows {
			own += len(w.Window)
		}
		if own != n.samples {
			t.Errorf("%s has %d events, counts %d", n.name, own, n.samples)
		}
		windows, samples = windows+len(n.windows), samples+own
	}
	if windows != c.windows || samples != c.samples {
		t.Errorf("%d windows with %d events, counts %d with %d", windows, samples, c.windows, c.samples)
	}
}

// Windows that nothing can reach any more are dropped, from the journal too, and
// what is late is counted.
func TestOldEventsAreDropped(t *testing.T) {
	e, db := newEngine(t, setOf(t, correlationSet)), openDB(t)
	applyBatch(t, e, db, true, auditRecord(1, noon, "Read", "ann@example.org", "a", 1))
	applyBatch(t, e, db, true, auditRecord(2, noon.Add(71*time.Hour), "Read", "ann@example.org", "b", 1))
	applyBatch(t, e, db, true, auditRecord(3, noon.Add(-2*time.Hour), "Read", "ann@example.org", "c", 1))
	if n := testutil.ToFloat64(e.metrics.skipped[tooLate]); n == 0 {
		t.Error("an event 73 hours behind is not late")
	}
	applyBatch(t, e, db, true, auditRecord(4, noon.Add(60*24*time.Hour), "Read", "ben@example.org", "d", 1))
	var rows int
	if err := db.QueryRow(`SELECT COUNT(DISTINCT seq) FROM correlation_journal`).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	for _, n := range e.windows.nodes {
		for key := range n.windows {
			if strings.Contains(key, "ann@") {
				t.Errorf("%s still has %q", n.name, key)
			}
		}
	}
	if rows != 1 {
		t.Errorf("the journal has %d batches, want the newest", rows)
	}
	checkCounts(t, e.windows)
}

func TestWhatDoesNotTakePartIsCounted(t *testing.T) {
	e, db := newEngine(t, setOf(t, correlationSet)), openDB(t)
	applyBatch(t, e, db, true, `{"Id":"1","Operation":"Read","RecordType":6,"Workload":"SharePoint","CreationTime":"2026-10-05T12:00:00","UserId":"ann@example.org","OrganizationId":"t1"}`)
	if n := testutil.ToFloat64(e.metrics.skipped[noValue]); n != 3 { // distinct, sum and average
		t.Errorf("%v without value, want 3", n)
	}
	if n := testutil.ToFloat64(e.metrics.skipped[noGroup]); n == 0 {
		t.Error("the missing ObjectId is not counted")
	}
}

func TestCorrelationMistakes(t *testing.T) {
	const base = "title: a\nname: a\nlogsource: {product: azure, service: auditlogs}\ndetection: {s: {operationName: x}, condition: s}\n" +
		"safeguard: {entry: aa, subject: resourceId}\n---\ntitle: c\nname: c\n"
	for name, c := range map[string]struct{ text, want string }{
		"unknown rule":     {"correlation: {type: event_count, rules: [b], group-by: [resourceId], timespan: 1m, condition: {gte: 2}}", `names rule "b"`},
		"unknown field":    {"correlation: {type: event_count, rules: [a], group-by: [resorceId], timespan: 1m, condition: {gte: 2}}", `did you mean "resourceId"?`},
		"unknown event":    {"correlation: {type: event_count, rules: [a], group-by: [event.user], timespan: 1m, condition: {gte: 2}}", "use one of event.actor"},
		"bad path":         {"correlation: {type: event_count, rules: [a], group-by: ['resourceId[x'], timespan: 1m, condition: {gte: 2}}", "resourceId[x"},
		"never restored":   {"correlation: {type: event_count, rules: ['aa:restored'], group-by: [resourceId], timespan: 1m, condition: {gte: 2}}", "no rule has something that restores it"},
		"half an alias":    {"correlation: {type: temporal, rules: [a, aa], group-by: [x], aliases: {x: {a: resourceId}}, timespan: 1m}", `alias "x" does not say`},
		"circle":           {"correlation: {type: event_count, rules: [c], group-by: [resourceId], timespan: 1m, condition: {gte: 2}}", "refers to itself"},
		"too many":         {"correlation: {type: event_count, rules: [a], group-by: [resourceId], timespan: 1m, condition: {gte: 1000000}}", "compare with less"},
		"restored":         {"correlation: {type: event_count, rules: [a], group-by: [resourceId], timespan: 1m, condition: {gte: 2}}\nsafeguard: {entry: e, restored: {}}", "restored"},
		"lateness":         {"correlation: {type: event_count, rules: [a], group-by: [resourceId], timespan: 1m, condition: {gte: 2}}\nsafeguard: {entry: e, lateness: soon}", "safeguard.lateness"},
		"same entry twice": {"correlation: {type: event_count, rules: [a], group-by: [resourceId], timespan: 1m, condition: {gte: 2}}\nsafeguard: {entry: aa}", `"aa"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(nil, Source{FS: fstest.MapFS{"stateful/set.yml": {Data: []byte(base + c.text + "\n")}}})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "stateful/set.yml:") {
				t.Errorf("error %v, want %q with its place", err, c.want)
			}
		})
	}
}

// Who reports: a rule with a safeguard key always, a plain one that only
// correlations name when generate asks for it.
func TestGenerate(t *testing.T) {
	const text = `
title: read
name: read
logsource: {product: m365, service: audit}
detection: {s: {Operation: Read}, condition: s}
---
title: pairs
name: pairs
correlation: {type: event_count, rules: [read], group-by: [UserId], timespan: 5m, condition: {gte: 2}}
---
title: pairs of pairs
correlation: {type: event_count, rules: [pairs], group-by: [UserId], timespan: 5m, condition: {gte: 2}%s}
`
	for generate, want := range map[string]string{
		"":                 "set",
		", generate: true": "set set:pairs",
	} {
		text := strings.Replace(fmt.Sprintf(text, generate), "2}, generate", "2}, generate", 1)
		set := setOf(t, text)
		if got := strings.Join(set.Entries(), " "); got != want {
			t.Errorf("generate %q: entries %q, want %q", generate, got, want)
		}
		e, db := newEngine(t, set), openDB(t)
		var got []string
		for i := range 3 {
			for _, f := range applyBatch(t, e, db, true, auditRecord(i, noon.Add(time.Duration(i)*time.Second), "Read", "ann@example.org", "a", 1)) {
				got = append(got, fmt.Sprint(i, " ", f.Rule.Entry))
			}
		}
		wantFound := "2 set"
		if generate != "" {
			wantFound = "1 set:pairs 2 set:pairs 2 set"
		}
		if strings.Join(got, " ") != wantFound {
			t.Errorf("generate %q: found %v, want %s", generate, got, wantFound)
		}
	}
}

// Several values make several groups and several things to count; alternatives
// stand in for each other; long groups are told apart.
func TestGroupsOfSeveralValues(t *testing.T) {
	set := setOf(t, `
title: read
name: read
logsource: {product: m365, service: audit}
detection: {s: {Operation: Read}, condition: s}
---
title: pairs
correlation:
  type: value_count
  rules: [read]
  group-by: [Team | UserId, Members.Name]
  timespan: 5m
  condition: {field: [Files, event.ip], gte: 3}
safeguard: {entry: pairs}
`)
	long := strings.Repeat("x", 2000)
	record := func(id int, rest string) string {
		return fmt.Sprintf(`{"Id":"%d","Operation":"Read","RecordType":6,"Workload":"SharePoint","CreationTime":"2026-10-05T12:00:%02d","OrganizationId":"t1","ClientIP":"203.0.113.9","UserId":"ann",%s}`, id, id, rest)
	}
	for name, c := range map[string]struct {
		events []string
		want   []string
	}{
		"three files at once, of two members": {
			[]string{record(1, `"Members":[{"Name":"A"},{"Name":"B"}],"Files":["1","2","3"]`)},
			[]string{"ann + A", "ann + B"},
		},
		"two of the same": {[]string{record(1, `"Members":[{"Name":"A"}],"Files":["f","F","g"]`)}, nil},
		"case folds": {
			[]string{record(1, `"Team":"Ward","Members":[{"Name":"a"}],"Files":["1","2"]`), record(2, `"Team":"WARD","Members":[{"Name":"A"}],"Files":["3"]`)},
			[]string{"WARD + A"},
		},
		"without a member": {[]string{record(1, `"Files":["1","2","3"]`)}, nil},
		"long names": {
			[]string{
				record(1, `"Members":[{"Name":"`+long+`1"}],"Files":["1","2"]`), record(2, `"Members":[{"Name":"`+long+`2"}],"Files":["3"]`),
				record(3, `"Members":[{"Name":"`+strings.ToUpper(long)+`1"}],"Files":["4"]`),
			},
			[]string{"ann + " + strings.ToUpper(long) + "1"},
		},
		"a letter whose lower case is longer": { // Ⱥ has two bytes, ⱥ three
			[]string{record(1, `"Team":"Ⱥ","Members":[{"Name":"a"}],"Files":["1","2"]`), record(2, `"Team":"ⱥ","Members":[{"Name":"a"}],"Files":["3"]`)},
			[]string{"ⱥ + a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range applyBatch(t, newEngine(t, set), openDB(t), false, c.events...) {
				got = append(got, f.Subject)
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("subjects (-want +got):\n%s", diff)
			}
		})
	}
}

// The example of the specification loads unchanged.
func TestSpecificationsExampleLoads(t *testing.T) {
	set := setOf(t, `
title: Correlation - Multiple Failed Logins Followed by Successful Login
id: b180ead8-d58f-40b2-ae54-c8940995b9b6
status: experimental
correlation:
    type: temporal_ordered
    rules:
        - multiple_failed_login
        - successful_login
    group-by:
        - User
    timespan: 10m
level: high
---
title: Multiple failed logons
id: a8418a5a-5fc4-46b5-b23b-6c73beb19d41
name: multiple_failed_login
correlation:
    type: event_count
    rules:
        - failed_login
    group-by:
        - User
    timespan: 10m
    condition:
        gte: 10
---
title: Single failed login
id: 53ba33fd-3a50-4468-a5ef-c583635cfa92
name: failed_login
logsource: {product: windows, service: security}
detection: {selection: {EventID: [529, 4625]}, condition: selection}
---
title: Successful login
id: 4d0a2c83-c62c-4ed4-b475-c7e23a9269b8
name: successful_login
logsource: {product: windows, service: security}
detection: {selection: {EventID: [528, 4624]}, condition: selection}
`)
	if got := set.Entries(); !slices.Equal(got, []string{"set"}) {
		t.Errorf("entries %v, want only the outermost", got)
	}
	if len(set.Warnings) == 0 {
		t.Error("no warning of a log source that is not read")
	}
}

// Whatever stands in a row, reading it ends with an error or without one.
func FuzzFeed(f *testing.F) {
	e := newEngine(f, setOf(f, correlationSet))
	p := auditRecord(1, noon, "Read", "ann@example.org", "a", 1)
	ingest.NewDecoder().Decode(ingest.Message{Body: []byte(p)}, func(ev *ingest.Event) {
		for _, m := range e.Match(ev, nil) {
			f.Add(m.feeds)
		}
	}, func(ingest.Quarantined) {})
	f.Fuzz(func(t *testing.T, feed []byte) {
		c := newCorrelator(e.setOfCorrelations(), e.metrics)
		m := &Match{feeds: feed, silent: true}
		_, _ = c.apply(&noJournal{}, []*Match{m})
		for _, n := range c.nodes {
			_ = c.restore(n, journalRow{seq: 1, correlation: n.name, data: feed})
		}
	})
}

func (e *Engine) setOfCorrelations() []*correlation {
	var out []*correlation
	for _, n := range e.windows.nodes {
		out = append(out, n.correlation)
	}
	return out
}
