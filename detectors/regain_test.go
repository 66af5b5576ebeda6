package detectors

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const regainSet = `
title: Label taken away
id: 3b1c9d00-0000-4000-8000-0000000000a1
logsource: {product: m365, service: audit}
detection: {s: {Operation: Take}, condition: s}
level: medium
safeguard:
  entry: label-taken
  subject: ObjectId
  restored: {s: {Operation: Give}, condition: s}
  regained: {lost: ClientIP, now: ClientIP}
---
title: Label given back
correlation: {type: event_count, rules: ['label-taken:restored'], group-by: [event.subject], timespan: 1m, condition: {gte: 1}}
level: low
safeguard: {entry: given-back}
`

// What gives too little back is no restore for correlations either.
func TestTooLittleFeedsNoCorrelation(t *testing.T) {
	e, db := newEngine(t, setOf(t, regainSet)), openDB(t)
	events := script("1 Take ann a", "2 Give ann a", "3 Give ann a")
	events[1] = strings.ReplaceAll(events[1], "203.0.113.9", "198.51.100.1") // another label, so to speak
	var got []string
	for _, f := range applyBatch(t, e, db, true, events...) {
		got = append(got, f.Time.Format("4")+" "+f.Rule.Entry+" "+string(f.State))
	}
	if diff := cmp.Diff([]string{"1 label-taken weakened", "3 label-taken restored", "3 given-back incident"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// After several steps down, the first of them says what has to be given back, and
// what a late step shows to give too little is taken back.
func TestEveryStepDownHasToBeMadeUpFor(t *testing.T) {
	high, low := "203.0.113.9", "198.51.100.1"
	events := script("1 Take ann a", "2 Take ann a", "3 Give ann a", "4 Give ann a")
	for _, i := range []int{1, 2} {
		events[i] = strings.ReplaceAll(events[i], high, low)
	}
	told := func(findings []Finding) (out []string) {
		for _, f := range findings {
			if f.Rule.Entry == "label-taken" {
				out = append(out, strings.TrimSpace(f.Time.Format("4")+" "+string(f.State)+" "+strings.Join(f.Strong, " ")))
			}
		}
		return out
	}
	e, db := newEngine(t, setOf(t, regainSet)), openDB(t)
	if diff := cmp.Diff([]string{"1 weakened", "2 weakened", "4 restored"}, told(applyBatch(t, e, db, true, events...))); diff != "" {
		t.Errorf("in order (-want +got):\n%s", diff)
	}
	e, db = newEngine(t, setOf(t, regainSet)), openDB(t)
	late := told(applyBatch(t, e, db, true, events[1], events[2]))
	late = append(late, told(applyBatch(t, e, db, true, events[0]))...)
	late = append(late, told(applyBatch(t, e, db, true, events[3]))...)
	if diff := cmp.Diff([]string{"2 weakened", "3 restored", "1 weakened", "3 restored " + NoSide, "4 restored"}, late); diff != "" {
		t.Errorf("the first step late (-want +got):\n%s", diff)
	}
}

func TestWhatIsMadeUpForIsForgotten(t *testing.T) {
	e, db := newEngine(t, setOf(t, regainSet)), openDB(t)
	applyBatch(t, e, db, true, script("1 Take ann a", "2 Give ann a", "3 Take ann b", "4 Give ann c")...)
	applyBatch(t, e, db, true, script("20000 Take ann d")...)
	var left string
	if err := db.QueryRow(`SELECT group_concat(subject, ' ') FROM (SELECT subject FROM regained ORDER BY subject)`).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if left != "b d" {
		t.Errorf("two weeks later %q are kept, want what is still weak: b d", left)
	}
}
