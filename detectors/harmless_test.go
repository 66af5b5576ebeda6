package detectors

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors/rules"
	"phiwatch/ingest"
	"phiwatch/ingest/hospital"
)

var harmlessEvents = flag.Int("harmless", 20_000, "how many harmless events TestHarmlessDay evaluates")

// TestHarmlessDay evaluates a day of the hospital's traffic, all kinds and
// ordinary admin work included, with its operator lists: fewer than 20 findings
// may come of a million events, and of the shorter day of the ordinary run, none
// but restores.
func TestHarmlessDay(t *testing.T) {
	if raceDetector && *harmlessEvents > 2000 {
		*harmlessEvents = 2000 // one goroutine, many times as slow
	}
	e, db := loadWith(t, hospital.Lists()), openDB(t)
	tx := begin(t, db)
	h := hospital.New(11)
	dec := ingest.NewDecoder()
	day := time.Date(2026, 9, 14, 0, 0, 0, 0, time.UTC)
	found := map[string]int{}
	var matches []Match
	for i := range *harmlessEvents {
		at := day.Add(time.Duration(float64(i) / float64(*harmlessEvents) * float64(24*time.Hour)))
		dec.Decode(ingest.Message{Body: h.Record(at)}, func(ev *ingest.Event) { matches = e.Match(ev, matches) }, func(q ingest.Quarantined) {
			t.Fatalf("quarantined: %s: %s", q.Reason, q.Detail)
		})
		if len(matches) < 1000 && i < *harmlessEvents-1 {
			continue
		}
		findings, err := e.Apply(t.Context(), tx, matches)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			if f.State != Restored {
				found[fmt.Sprintf("%s %s %s", f.Rule.Entry, f.State, f.Severity)]++
			}
		}
		matches = matches[:0]
	}
	total := 0
	var lines []string
	for what, n := range found {
		total += n
		lines = append(lines, fmt.Sprintf("%6d %s", n, what))
	}
	slices.Sort(lines)
	t.Logf("%d events, %d findings: %v", *harmlessEvents, total, lines)
	if total >= 20 || total > 0 && *harmlessEvents <= 20_000 {
		t.Errorf("%d findings in %d harmless events: %v", total, *harmlessEvents, lines)
	}
}

// loadWith loads the catalog with the given operator lists.
func loadWith(t *testing.T, lists map[string][]string) *Engine {
	t.Helper()
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

// TestHarmlessEach evaluates each kind of harmless record by itself, in an
// engine that has seen nothing before: rare work is in no ordinary day. Only
// what correlates may need the others.
func TestHarmlessEach(t *testing.T) {
	e, db := loadWith(t, hospital.Lists()), openDB(t)
	h := hospital.New(12)
	at := time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)
	dec := ingest.NewDecoder()
	for _, name := range h.Names() {
		tx := begin(t, db)
		var matches []Match
		for i := range 12 { // for each of the wards, the applications …
			dec.Decode(ingest.Message{Body: h.RecordOf(name, at.Add(time.Duration(i)*time.Hour))}, func(ev *ingest.Event) { matches = e.Match(ev, matches) }, func(q ingest.Quarantined) {
				t.Errorf("%s: quarantined: %s: %s", name, q.Reason, q.Detail)
			})
		}
		findings, err := e.Apply(t.Context(), tx, matches)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			if f.State != Restored {
				t.Errorf("%s: %s %s %s of %v", name, f.Rule.Entry, f.State, f.Severity, f.Subject)
			}
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
}
