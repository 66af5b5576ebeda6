package detectors

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func rememberedRows(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRow(`SELECT COUNT(*) FROM remembered`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// What the same subject tells every second is stored about once a minute, and what
// follows from another value is the same as if all of it were.
func TestWhatIsToldAllDayIsStoredOnceAMinute(t *testing.T) {
	e, db := newEngine(t, setOf(t, lowered)), openDB(t)
	id := 0
	tell := func(at time.Duration, days int) (states []string) {
		id++
		for _, f := range applyBatch(t, e, db, true, auditRecord(id, noon.Add(at), "Set", "ann", fmt.Sprint(days), 1)) {
			states = append(states, fmt.Sprint(f.State, " ", f.Time.Sub(noon)))
		}
		e.Committed()
		return states
	}
	r := rand.New(rand.NewPCG(1, 2))
	for second := range 600 {
		tell(time.Duration(second-r.IntN(90))*time.Second, 2190) // not quite in order
	}
	if n := rememberedRows(t, db); n < 10 || n > 20 {
		t.Errorf("%d events of ten minutes are stored, want one or two a minute", n)
	}
	var got []string
	got = append(got, tell(601*time.Second, 30)...)
	got = append(got, tell(602*time.Second, 30)...)
	got = append(got, tell(603*time.Second, 2190)...)
	got = append(got, tell(300*time.Second, 30)...) // late
	slices.Sort(got)
	got = slices.Compact(got)
	want := []string{"restored 10m3s", "weakened 10m1s", "weakened 10m2s", "weakened 5m0s"}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("%q is not found in %q", w, got)
		}
	}
	soon := func(s string) bool { return strings.HasPrefix(s, "restored 5m") || strings.HasPrefix(s, "restored 6m") }
	if !slices.ContainsFunc(got, soon) {
		t.Errorf("what was lowered late is not restored within two minutes: %q", got)
	}
}

// What was not committed is not known.
func TestWhatIsToldInAnAbandonedBatchIsStoredAgain(t *testing.T) {
	e, db := newEngine(t, setOf(t, lowered)), openDB(t)
	applyBatch(t, e, db, false, auditRecord(1, noon, "Set", "ann", "2190", 1))
	applyBatch(t, e, db, true, auditRecord(2, noon.Add(time.Second), "Set", "ann", "2190", 1))
	e.Committed()
	applyBatch(t, e, db, true, auditRecord(3, noon.Add(2*time.Second), "Set", "ann", "2190", 1))
	if diff := cmp.Diff(1, rememberedRows(t, db)); diff != "" {
		t.Errorf("events stored (-want +got):\n%s", diff)
	}
}
