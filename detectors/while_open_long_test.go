package detectors

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What was found waits for the closing longer than an opening counts, and longer than
// records may be late; what nothing passed in is forgotten.
func TestWhatPassedWaitsForTheClosing(t *testing.T) {
	week := int(lateness.Minutes()) * 2
	for name, c := range map[string]struct {
		events, want []string
	}{
		"closed after long": {
			script("0 Off ben a", "3 Read ann a", "4 Write ann a", fmt.Sprint(week, " Off ben b"), fmt.Sprint(week+5, " On ben a")),
			[]string{"read-while-off of a: medium restored", "switch of a: low restored", "switch of b: low weakened", "written of a: medium incident"},
		},
		"told open again and again": {
			script("0 Off ben a", "3 Read ann a", fmt.Sprint(week, " Off ben a"), fmt.Sprint(2*week, " Off ben b"), fmt.Sprint(2*week+5, " On ben a")),
			[]string{"read-while-off of a: medium restored", "switch of a: low restored", "switch of b: low weakened"},
		},
		"used when it no longer counts": {
			script("0 Off ben a", fmt.Sprint(week, " Read ann a"), fmt.Sprint(week+5, " On ben a")),
			[]string{"switch of a: low restored"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, db := newEngine(t, setOf(t, specialSet)), openDB(t)
			var got []Finding
			for _, ev := range c.events {
				got = append(got, applyBatch(t, e, db, true, ev)...)
			}
			if diff := cmp.Diff(c.want, ledgerOf(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			applyBatch(t, e, db, true, script(fmt.Sprint(5*week, " Off ben c"), fmt.Sprint(5*week+61, " Off ben d"))...)
			var left int
			if err := db.QueryRow(`SELECT COUNT(*) FROM while_open WHERE thing LIKE '%a' AND role <> 'seen'`).Scan(&left); err != nil {
				t.Fatal(err)
			}
			if left != 0 {
				t.Errorf("%d moments of what was closed long ago are kept", left)
			}
		})
	}
}

// A report lists no more than so much, so that is all that waits for it.
func TestOfWhatWaitsForAReportAsMuchIsKeptAsItLists(t *testing.T) {
	e, db := newEngine(t, setOf(t, specialSet)), openDB(t)
	lines := []string{"0 Off ben a"}
	for i := range maxReported + 20 {
		lines = append(lines, fmt.Sprintf("%d Write ann%d a", 1+i/8, i))
	}
	applyBatch(t, e, db, true, script(lines...)...)
	applyBatch(t, e, db, true, script(fmt.Sprint(int(2*lateness.Minutes()), " Off ben b"))...)
	var left int
	if err := db.QueryRow(`SELECT COUNT(*) FROM while_open WHERE thing LIKE '%a' AND role = 'passed' AND correlation LIKE 'written%'`).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if left < maxReported || left > maxReported+8 {
		t.Errorf("%d moments wait, want %d", left, maxReported)
	}
}

// A closing that arrived before its opening still counts when it is old.
func TestWhatClosedBeforeTheOpeningArrivedStaysClosed(t *testing.T) {
	e, db := newEngine(t, setOf(t, strings.ReplaceAll(specialSet, "timespan: 1h", "timespan: 30d"))), openDB(t)
	week := int(lateness.Minutes()) * 2
	var got []Finding
	for _, ev := range script("5 On ben a", "2 Off ben a", fmt.Sprint(week, " Off ben b"), fmt.Sprint(week+5, " Read ann a"), fmt.Sprint(week+6, " Read ann b")) {
		got = append(got, applyBatch(t, e, db, true, ev)...)
	}
	want := []string{"read-while-off of b: medium weakened", "switch of a: low restored", "switch of b: low weakened"}
	if diff := cmp.Diff(want, ledgerOf(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
