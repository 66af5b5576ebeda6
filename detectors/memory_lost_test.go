package detectors

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Days and values, and what each is found to be.
func TestWhatWasLostIsWeakUntilItIsBack(t *testing.T) {
	for name, c := range map[string]struct{ weak, told, want string }{
		"a number that is told again":           {"lowered", "0:2190 1:30 9:30", "- weak -"},
		"a number that is raised too little":    {"lowered", "0:2190 1:30 9:60 20:60", "- weak - -"},
		"a number that is back":                 {"lowered", "0:2190 1:30 9:30 20:2190", "- weak - strong"},
		"a number that is higher":               {"lowered", "0:2190 1:30 2:3000", "- weak strong"},
		"a number that is lowered twice":        {"lowered", "0:2190 1:30 9:7 20:30 30:2190", "- weak weak - strong"},
		"a number that was never lowered":       {"lowered", "0:30 9:30 20:60", "- strong strong"},
		"a text that is told again":             {"changed", "0:a 1:b 9:b", "- weak -"},
		"a text that is back after long":        {"changed", "0:a 1:b 9:b 20:a", "- weak - strong"},
		"a text that is another again":          {"changed", "0:a 1:b 9:c 20:c", "- weak weak -"},
		"a text that goes back half the way":    {"changed", "0:a 1:b 9:c 20:b", "- weak weak weak"},
		"a text that comes where there is none": {"changed", "0: 1:a 9:a", "- strong strong"},
		"a text that is gone":                   {"changed", "0:a 1: 9: 20:a", "- weak - strong"},
	} {
		t.Run(name, func(t *testing.T) {
			v := &remembered{name: "v", weak: c.weak}
			m := &memory{values: []remembered{*v}}
			var history []Finding
			var got []string
			for told := range strings.FieldsSeq(c.told) {
				day, value, _ := strings.Cut(told, ":")
				at, err := time.ParseDuration(day + "h")
				if err != nil {
					t.Fatal(err)
				}
				f := Finding{Time: time.Unix(0, 0).Add(24 * at), provisional: provisional{Told: map[string][]string{"v": {value}}}}
				history = append(history, f)
				verdict := "-"
				for _, f := range m.judge(history, len(history)-1) {
					switch fmt.Sprintf("%s %v %v", f.State, f.Weak, f.Strong) {
					case "weakened [v] []":
						verdict = "weak"
					case "restored [] [v]":
						verdict = "strong"
					case "restored [] [none]":
					default:
						t.Fatalf("%s is %s, weak %v, strong %v", told, f.State, f.Weak, f.Strong)
					}
				}
				got = append(got, verdict)
			}
			if got := strings.Join(got, " "); got != c.want {
				t.Errorf("%s: %s, want %s", c.told, got, c.want)
			}
		})
	}
}

// A history that is full keeps when each value began and ended.
func TestWhatIsToldAgainAndAgainIsForgottenFirst(t *testing.T) {
	tell := func(values string) (history []Finding) {
		for day, value := range strings.Fields(values) {
			f := Finding{Time: time.Unix(0, 0).AddDate(0, 0, day), provisional: provisional{Told: map[string][]string{"v": {value}}}}
			f.Evidence.EventID = fmt.Sprint(day)
			history = append(history, f)
		}
		return history
	}
	for values, want := range map[string]string{
		"a b b b b b b b b b b b b":   "2 3 4",
		"a b b c c c d d d d d d d d": "4",
		"a b b b b":                   "2", // the oldest, though late events may come
		"a b a b a b a b a b a b":     "0",
	} {
		var got []string
		for _, f := range dull(tell(values)) {
			got = append(got, f.Evidence.EventID)
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("of %s days %q are dull, want %q", values, got, want)
		}
	}
}

// However often a weak value is told, it is weak until the value from before is back.
func TestWhatIsToldManyTimesIsNotAccepted(t *testing.T) {
	e, db := newEngine(t, setOf(t, lowered)), openDB(t)
	var states []string
	tell := func(hour, days int) {
		ev := auditRecord(hour, noon.Add(time.Duration(hour)*time.Hour), "Set", "ann", fmt.Sprint(days), 1)
		for _, f := range applyBatch(t, e, db, true, ev) {
			if f.State != Restored || !slices.Equal(f.Strong, []string{NoSide}) { // which says nothing
				states = append(states, fmt.Sprint(hour, " ", f.State))
			}
		}
	}
	tell(0, 2190)
	for hour := 1; hour < 3*maxHistory; hour++ {
		tell(hour, 30)
	}
	tell(3*maxHistory, 2190)
	want := []string{"384 restored"}
	for hour := 73; hour > 0; hour-- { // as long as the other value may have been the one in force
		want = slices.Insert(want, 0, fmt.Sprint(hour, " weakened"))
	}
	if !slices.Equal(states, want) {
		t.Errorf("got %q, want %q", states, want)
	}
	var n int
	if err := db.QueryRow(`SELECT COUNT(*) FROM remembered`).Scan(&n); err != nil || n > maxHistory {
		t.Errorf("%d events are remembered, %v, want at most %d", n, err, maxHistory)
	}
}

const lowered = `
title: retention cut
logsource: {product: m365, service: audit}
detection: {s: {Operation: Never}, condition: s}
level: high
safeguard:
  entry: retention-cut
  codes: [AUDIT]
  hipaa: ["164.312(b)"]
  subject: OrganizationId
  runbook: [Raise it.]
  evidence: documented
  restored: {s: {Operation: Never}, condition: s}
  memory:
    seen: {s: {Operation: Set}, condition: s}
    values:
      days: {field: ObjectId, weak: lowered}
`
