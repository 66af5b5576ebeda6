package detectors

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"phiwatch/ingest"
)

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
