package alerting_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/alerting"
)

// notRepeated are the scenarios that cannot be told several times in any order.
var notRepeated = map[string]string{
	"cmk-hijack":                "an account that is moved back before its key is gone: not told if that is known in time",
	"break-glass-activity":      "two of its records, days apart, have one id",
	"exclusion-then-signin":     "which of two sign-ins in one moment is told first depends on the order",
	"mass-deletion":             "thousands of records, of one hour",
	"mass-download":             "a baseline",
	"label-mass-removal":        "a baseline",
	"retention-cut-then-delete": "a thousand deletions",
}

// TestOrderDoesNotMatterOverDays tells every entry's test events four times, two days
// apart, in their order and each up to three days late, so that what is forgotten
// after three days is forgotten between them: the ledger is the same. With -long 5
// all entries are told so, and in more orders.
func TestOrderDoesNotMatterOverDays(t *testing.T) {
	eachLong(t, notRepeated, func(l *long, i int, file string, _ []byte) {
		if !l.correlates && *longDays == 4 && i%16 > 1 {
			return // the others take a minute
		}
		l.read(file)
		l.repeated(50 * time.Hour)
	})
}

// repeated tells the events four times, in any order as far as that may be.
func (l *long) repeated(apart time.Duration) {
	l.t.Helper()
	l.start()
	var records []played
	for n := range 4 {
		for k := range l.payloads {
			records = append(records, l.tell(k, "t", time.Duration(n)*apart)...)
		}
	}
	records = slices.DeleteFunc(records, func(p played) bool { return p.at.IsZero() })
	slices.SortStableFunc(records, func(a, b played) int { return a.at.Compare(b.at) })
	want := exact(l.t, l.ledgerOf(nil, records))
	trials := 1
	if l.correlates {
		trials = 4
	}
	for trial := range trials * max(1, *longDays-3) {
		r := rand.New(rand.NewPCG(uint64(len(records)), uint64(trial)))
		if diff := cmp.Diff(want, exact(l.t, l.ledgerOf(r, delayed(r, records)))); diff != "" {
			l.t.Errorf("%s, order %d, against their order in time (-want +got):\n%s", l.entry, trial, diff)
		}
	}
}

// delayed returns records as they arrive, each up to three days late.
func delayed(r *rand.Rand, records []played) []played {
	type arrival struct {
		played
		at time.Time
	}
	var all []arrival
	for _, p := range records {
		late := time.Duration(r.Int64N(int64(71 * time.Hour)))
		if r.IntN(3) == 0 {
			late = 0
		}
		all = append(all, arrival{p, p.at.Add(late)})
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return a.at.Compare(b.at) })
	out := make([]played, len(all))
	for i := range all {
		out[i] = all[i].played
	}
	return out
}

// ledgerOf returns what records come to: one by one, or with r in batches of any size,
// some of them twice.
func (l *long) ledgerOf(r *rand.Rand, records []played) []alerting.Violation {
	l.t.Helper()
	l.empty()
	l.start()
	sweep := func() {
		l.t.Helper()
		if err := l.ledger.Sweep(l.t.Context(), l.now); err != nil {
			l.t.Fatal(err)
		}
	}
	for rest := records; len(rest) > 0; {
		n := 1
		if r != nil {
			n += r.IntN(min(len(rest), 3))
		}
		l.batch(rest[:n])
		if r != nil && r.IntN(3) == 0 {
			l.batch(rest[:n])
		}
		if r == nil || r.IntN(2) == 0 {
			sweep()
		}
		rest = rest[n:]
	}
	l.now = l.now.Add(90 * day) // what closes by itself has
	sweep()
	return everyViolation(l.t, l.ledger)
}
