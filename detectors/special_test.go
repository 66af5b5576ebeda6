package detectors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// specialSet has a special correlation of each kind over the rules of
// correlationSet.
var specialSet = strings.Split(correlationSet, "---\ntitle: count")[0] + `
---
title: grant
id: 3b1c9d00-0000-4000-8000-000000000002
logsource: {product: m365, service: audit}
detection: {s: {Operation: Grant}, condition: s}
safeguard: {entry: grant, subject: ObjectId}
---
title: read while off
correlation:
  type: temporal_ordered
  rules: [switch, "switch:restored", read]
  group-by: [thing]
  aliases: {thing: {switch: event.subject, "switch:restored": event.subject, read: ObjectId}}
  timespan: 1h
safeguard: {entry: read-while-off, while_open: true, incident: false}
---
title: what was written while off
correlation:
  type: temporal_ordered
  rules: [switch, "switch:restored", write]
  group-by: [thing]
  aliases: {thing: {switch: event.subject, "switch:restored": event.subject, write: ObjectId}}
  timespan: 1h
safeguard: {entry: written, while_open: true, report: true}
---
title: sent from a new place while off
correlation:
  type: temporal_ordered
  rules: [switch, "switch:restored", read, send]
  group-by: [thing]
  aliases: {thing: {switch: event.subject, "switch:restored": event.subject, read: ObjectId, send: ObjectId}}
  timespan: 1h
safeguard: {entry: sent-from-new, while_open: true, known: read, unseen: UserId}
---
title: switched off by somebody new
correlation: {type: event_count, rules: [grant], group-by: [who], aliases: {who: {grant: ObjectId}}, timespan: 1h, condition: {gte: 1}}
safeguard: {entry: new-weakens, raises: true}
`

// script is events of one line each: minutes after noon, operation, user, object.
func script(lines ...string) []string {
	var out []string
	for i, line := range lines {
		var minute int
		var op, user, object string
		if _, err := fmt.Sscan(line, &minute, &op, &user, &object); err != nil {
			panic(err)
		}
		out = append(out, auditRecord(i, noon.Add(time.Duration(minute)*time.Minute), op, user, object, 1))
	}
	return out
}

// standing returns findings without those that a later revision of the same event
// took back, and these.
func standing(findings []Finding) (left, takenBack []Finding) {
	of := func(f *Finding) string {
		return strings.Join([]string{f.Rule.Entry, f.Subject, f.Evidence.EventID}, " ")
	}
	back := map[string]int{}
	for i := range findings {
		if f := &findings[i]; f.State == Restored && slices.Equal(f.Strong, []string{NoSide}) {
			back[of(f)] = max(back[of(f)], f.Revision)
		}
	}
	for i := range findings {
		switch f := &findings[i]; {
		case f.State == Restored && slices.Equal(f.Strong, []string{NoSide}):
		case f.State != Restored && f.Revision < back[of(f)]:
			takenBack = append(takenBack, *f)
		default:
			left = append(left, *f)
		}
	}
	return left, takenBack
}

// ledgerOf is what a ledger makes of findings: of each entry and subject, the
// highest severity, and whether it is over.
func ledgerOf(findings []Finding) []string {
	findings, takenBack := standing(findings)
	slices.SortStableFunc(findings, func(a, b Finding) int {
		rank := map[State]int{Restored: 0, Weakened: 1, Incident: 1}
		if c := a.Time.Compare(b.Time); c != 0 {
			return c
		}
		return rank[a.State] - rank[b.State]
	})
	last, worst := map[string]State{}, map[string]Severity{}
	for _, f := range findings {
		key := f.Rule.Entry + " of " + f.Subject
		if f.State == Restored && last[key] == "" {
			continue
		}
		last[key] = f.State
		if f.State != Restored {
			worst[key] = max(worst[key], f.Severity)
		}
	}
	for _, f := range takenBack {
		if key := f.Rule.Entry + " of " + f.Subject; last[key] == "" {
			last[key], worst[key] = Restored, max(worst[key], f.Severity)
		}
	}
	var out []string
	for key, state := range last {
		out = append(out, fmt.Sprintf("%s: %s %s", key, worst[key], state))
	}
	slices.Sort(out)
	return out
}

func TestSpecialCorrelationsJudgeByEventTime(t *testing.T) {
	set := setOf(t, specialSet)
	for name, c := range map[string]struct{ events, want []string }{
		"read while off": {
			script("1 Read ann a", "2 Off ben a", "3 Read ann b", "4 Read ann a"),
			[]string{"read-while-off of a: medium weakened", "switch of a: low weakened"},
		},
		"read while off, and on": {
			script("2 Off ben a", "4 Read ann a", "9 On ben a"),
			[]string{"read-while-off of a: medium restored", "switch of a: low restored"},
		},
		"read an hour later": {
			script("2 Off ben a", "62 Read ann a"),
			[]string{"switch of a: low weakened"},
		},
		"written": {
			script("2 Off ben a", "3 Write ann a", "4 Write cid a", "9 On ben a"),
			[]string{"switch of a: low restored", "written of a: medium incident"},
		},
		"nothing written": {
			script("1 Write ann a", "2 Off ben a", "9 On ben a"),
			[]string{"switch of a: low restored"},
		},
		"switched off by somebody new": {
			script("1 Grant ben ann", "5 Off ann a"),
			[]string{"grant of ann: medium weakened", "new-weakens of ann: medium incident", "switch of a: medium weakened"},
		},
		"before, and an hour after": {
			script("10 Grant ben ann", "5 Off ann a", "70 Off ann b"),
			[]string{"grant of ann: medium weakened", "switch of a: low weakened", "switch of b: low weakened"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, 9))
			for range 8 {
				events := slices.Clone(c.events)
				events = append(events, events[rng.IntN(len(events))]) // and repeated
				rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
				e, db := newEngine(t, set), openDB(t)
				var got []Finding
				for i, ev := range events {
					if i%3 == 1 {
						e = newEngine(t, set) // restarted
						applyBatch(t, e, db, false, ev)
					}
					got = append(got, applyBatch(t, e, db, true, ev)...)
				}
				if diff := cmp.Diff(c.want, ledgerOf(got)); diff != "" {
					t.Fatalf("order %q (-want +got):\n%s", events, diff)
				}
			}
		})
	}
}

func TestWhatALateRestoreShowsIsTakenBack(t *testing.T) {
	e, db := newEngine(t, setOf(t, specialSet)), openDB(t)
	events := script("2 Off ben a", "5 Read ann a", "4 On ben a")
	got := applyBatch(t, e, db, true, events[:2]...)
	got = append(got, applyBatch(t, e, db, true, events[2])...)
	want := []string{"read-while-off of a: medium restored", "switch of a: low restored"}
	if diff := cmp.Diff(want, ledgerOf(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A report is about who opened, not who closed.
func TestAReportNamesWhoOpened(t *testing.T) {
	e, db := newEngine(t, setOf(t, specialSet)), openDB(t)
	for _, f := range applyBatch(t, e, db, true, script("2 Off ben a", "3 Write ann a", "9 On cid a")...) {
		if f.Rule.Entry == "written" && f.Evidence.Actor != "ben" {
			t.Errorf("the report names %s, want ben", f.Evidence.Actor)
		}
	}
}

func TestOnlyUnseenValuesAreFound(t *testing.T) {
	e, db := newEngine(t, setOf(t, specialSet)), openDB(t)
	got := applyBatch(t, e, db, true, script("1 Read ann a", "2 Off ben a", "3 Send ann a", "4 Send eve a", "5 Read cid a", "6 Send cid a")...)
	var actors []string
	for _, f := range got {
		if f.Rule.Entry == "sent-from-new" {
			actors = append(actors, f.Evidence.Actor)
		}
	}
	if diff := cmp.Diff([]string{"eve"}, actors); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAValueSeenLateTakesBackWhatWasFound(t *testing.T) {
	e, db := newEngine(t, setOf(t, specialSet)), openDB(t)
	got := applyBatch(t, e, db, true, script("2 Off ben a", "3 Send eve a", "4 Send cid a")...)
	got = append(got, applyBatch(t, e, db, true, script("1 Read eve a", "5 Read cid a")...)...)
	var states []string
	for _, f := range got {
		if f.Rule.Entry == "sent-from-new" {
			states = append(states, string(f.State)+" "+f.Time.Format("04.000000"))
		}
	}
	slices.Sort(states)
	if diff := cmp.Diff([]string{"incident 03.000000", "incident 04.000000", "restored 03.000000"}, states); diff != "" { // 03 twice: when found, and when taken back
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What a committed transaction stored is remembered, and not stored again; what
// one that was rolled back stored is. What is forgotten by age is told anew.
func TestWhatTheDatabaseHasIsNotToldAgain(t *testing.T) {
	e, db := newEngine(t, setOf(t, specialSet)), openDB(t)
	seen := func() (n int) {
		t.Helper()
		if err := db.QueryRow(`SELECT COUNT(*) FROM while_open WHERE role = 'seen'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	applyBatch(t, e, db, false, script("1 Read ann a")...)
	applyBatch(t, e, db, true, script("2 Read ann a")...)
	if seen() != 1 {
		t.Fatalf("%d values are seen after a rolled back and a committed transaction, want 1", seen())
	}
	e.Committed()
	if _, err := db.Exec(`DELETE FROM while_open`); err != nil {
		t.Fatal(err)
	}
	applyBatch(t, e, db, true, script("3 Read ann a")...)
	e.Committed()
	if seen() != 0 {
		t.Error("a value that the database is known to have was stored again")
	}
	applyBatch(t, e, db, true, script("1 Read ann a")...)
	e.Committed()
	if seen() != 1 {
		t.Error("a value that was seen earlier than known was not stored")
	}
	year := int(keepSeen.Minutes())
	applyBatch(t, e, db, true, script(fmt.Sprint(year+60, " Read ben b"))...) // forgets ann's
	e.Committed()
	applyBatch(t, e, db, true, script(fmt.Sprint(year+61, " Read ann a"))...)
	if seen() != 2 {
		t.Errorf("%d values are seen, want ben's and ann's new one", seen())
	}
}

// A thing that opens and closes all day is judged by what lies around, so that
// the next event costs what the first one did.
func TestATogglingThingIsJudgedByWhatLiesAround(t *testing.T) {
	e, db := newEngine(t, setOf(t, specialSet)), openDB(t)
	var lines []string
	for i := range 200 {
		lines = append(lines, fmt.Sprintf("%d %s ben a", i, []string{"Off", "On"}[i%2]))
	}
	applyBatch(t, e, db, true, script(lines...)...)
	tx := begin(t, db)
	for _, s := range e.specials {
		w, ok := s.(*whileOpen)
		if !ok || w.rule.Entry != "read-while-off" {
			continue
		}
		got, err := w.history(t.Context(), tx, "t1"+keySep+"a", true, noon.Add(100*time.Minute).UnixMicro())
		if err != nil || len(got) != 3 { // closed, opened, closed
			t.Errorf("%d moments bear on one, %v, want 3", len(got), err)
		}
	}
}

const baselineSet = `
title: read
name: read
logsource: {product: m365, service: audit}
detection: {s: {Operation: Read}, condition: s}
---
title: more than ever
correlation: {type: event_count, rules: [read], group-by: [UserId], timespan: 10m, condition: {gte: 3}}
safeguard: {entry: more, baseline: {times: 1}}
---
title: five times more than ever
correlation: {type: value_count, rules: [read], group-by: [UserId], timespan: 10m, condition: {field: ObjectId, gte: 3}}
safeguard: {entry: much-more, baseline: {times: 2, known: true}}
`

func TestOnlyWhatIsUnusualIsFound(t *testing.T) {
	set := setOf(t, baselineSet)
	for name, c := range map[string]struct{ events, want []string }{
		"the first time":      {script("100 Read ann a", "101 Read ann b", "102 Read ann c"), []string{"more of ann: medium incident"}},
		"no more than before": {script("0 Read ann a", "20 Read ann b", "40 Read ann c", "100 Read ann a", "101 Read ann b", "102 Read ann c"), nil},
		"more, but not twice": {
			script("0 Read ann a", "20 Read ann b", "100 Read ann a", "101 Read ann b", "102 Read ann c"), []string{"more of ann: medium incident"},
		},
		"more than twice": {
			script("0 Read ann a", "100 Read ann a", "101 Read ann b", "102 Read ann c"),
			[]string{"more of ann: medium incident", "much-more of ann: medium incident"},
		},
		"somebody else's past": {
			script("0 Read ben a", "20 Read ben b", "40 Read ben c", "100 Read ann a", "101 Read ann b", "102 Read ann c"), []string{"more of ann: medium incident"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, db := newEngine(t, set), openDB(t)
			var got []Finding
			for i, ev := range c.events {
				if i == 2 {
					e = newEngine(t, set) // restarted, after a batch that came to nothing
					applyBatch(t, e, db, false, ev)
				}
				got = append(got, applyBatch(t, e, db, true, ev)...)
			}
			if diff := cmp.Diff(c.want, ledgerOf(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
