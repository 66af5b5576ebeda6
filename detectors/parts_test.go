package detectors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// partsSet has violations with parts: a count, one that holds in order and has
// the parts of what came before, and one that has the part of its last event.
const partsSet = `
title: given
id: 3b1c9d00-0000-4000-8000-000000000011
logsource: {product: m365, service: audit}
detection: {s: {Operation: Give}, condition: s}
safeguard:
  entry: given
  subject: ObjectId
  restored: {s: {Operation: Take}, condition: s}
---
title: used
name: used
logsource: {product: m365, service: audit}
detection: {s: {Operation: Use}, condition: s}
---
title: many given
correlation: {type: value_count, rules: [given], group-by: [UserId], timespan: 10m, condition: {field: event.subject, gte: 3}}
safeguard: {entry: burst, parts: [event.subject]}
---
title: one of many taken
correlation: {type: event_count, rules: ["given:restored"], group-by: [event.subject], timespan: 1m, condition: {gte: 1}}
safeguard: {entry: burst, restores: true, parts: [event.subject]}
---
title: given, then used
correlation: {type: temporal_ordered, rules: [given, used], group-by: [UserId], aliases: {thing: {given: event.subject}}, timespan: 10m}
safeguard: {entry: given-used, parts: [thing]}
---
title: taken
correlation: {type: event_count, rules: ["given:restored"], group-by: [thing], aliases: {thing: {"given:restored": event.subject}}, timespan: 1m, condition: {gte: 1}}
safeguard: {entry: given-used, restores: true, parts: [thing]}
---
title: used, then given
correlation: {type: temporal_ordered, rules: [used, given], group-by: [UserId], aliases: {thing: {given: event.subject}}, timespan: 10m}
safeguard: {entry: used-given, parts: [thing]}
---
title: taken again
correlation: {type: event_count, rules: ["given:restored"], group-by: [thing], aliases: {thing: {"given:restored": event.subject}}, timespan: 1m, condition: {gte: 1}}
safeguard: {entry: used-given, restores: true, parts: [thing]}
`

// weakOf folds findings by event time as a ledger does, and tells of each
// violation how many of its sides are weak; none is weak of what is over.
func weakOf(findings []Finding) []string {
	type observed struct {
		id string
		f  Finding
	}
	first := map[string]Finding{}
	for _, f := range findings { // repeats of an event are one; the earliest counts
		id := strings.Join([]string{f.Rule.Entry, f.Subject, string(f.State), f.Evidence.EventID}, " ")
		if have, ok := first[id]; !ok || f.Time.Before(have.Time) {
			first[id] = f
		}
	}
	var all []observed
	for id, f := range first {
		all = append(all, observed{id, f})
	}
	rank := func(s State) int { return map[State]int{Restored: 0, Weakened: 1, Incident: 1}[s] }
	slices.SortFunc(all, func(a, b observed) int {
		if c := a.f.Time.Compare(b.f.Time); c != 0 {
			return c
		}
		if c := rank(a.f.State) - rank(b.f.State); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
	weak := map[string][]string{}
	for _, o := range all {
		key := o.f.Rule.Entry + " of " + o.f.Subject
		sides := slices.DeleteFunc(weak[key], func(side string) bool { return slices.Contains(o.f.Strong, side) })
		if o.f.State != Restored {
			sides = append(sides, o.f.Weak...)
		} else if len(o.f.Strong) == 0 {
			sides = nil
		}
		slices.Sort(sides)
		weak[key] = slices.Compact(sides)
	}
	var out []string
	for key, sides := range weak {
		if len(sides) > 0 && !strings.HasPrefix(key, "given of") {
			out = append(out, fmt.Sprintf("%s: %d", key, len(sides)))
		}
	}
	slices.Sort(out)
	return out
}

func TestAViolationIsOverWhenAllItsPartsAre(t *testing.T) {
	three := []string{"0 Give ann a", "1 Give ann b", "2 Give ann c"}
	for name, c := range map[string]struct{ events, want []string }{
		"three given":                {three, []string{"burst of ann: 3"}},
		"two of them taken":          {append(three[:3:3], "5 Take ben a", "6 Take ben b"), []string{"burst of ann: 1"}},
		"all taken, by anybody":      {append(three[:3:3], "5 Take ben a", "6 Take cid b", "7 Take ann C"), nil},
		"the first before the last":  {[]string{"0 Give ann a", "1 Give ann b", "2 Take ben a", "3 Give ann c", "4 Take ben b", "4 Take ben c"}, nil},
		"something else taken":       {append(three[:3:3], "5 Take ben a", "6 Take ben b", "7 Take ben d"), []string{"burst of ann: 1"}},
		"a fourth":                   {append(three[:3:3], "4 Give ann d", "5 Take ben a", "5 Take ben b", "5 Take ben c"), []string{"burst of ann: 1"}},
		"given again":                {append(three[:3:3], "4 Take ben a", "5 Give ann a", "6 Take ben b", "6 Take ben c"), []string{"burst of ann: 1"}},
		"taken before":               {append([]string{"0 Take ben a", "0 Take ben b", "0 Take ben c"}, "1 Give ann a", "1 Give ann b", "1 Give ann c"), []string{"burst of ann: 3"}},
		"given to be used":           {[]string{"0 Give ann a", "1 Give ann b", "2 Use ann x"}, []string{"given-used of ann: 2"}},
		"used, one taken":            {[]string{"0 Give ann a", "1 Give ann b", "2 Use ann x", "3 Take ben a"}, []string{"given-used of ann: 1"}},
		"used when taken":            {[]string{"0 Give ann a", "1 Take ben a", "2 Use ann x"}, nil},
		"used when taken and given":  {[]string{"0 Give ann a", "1 Take ben a", "2 Give ann a", "3 Use ann x"}, []string{"given-used of ann: 1"}},
		"and taken at last":          {[]string{"0 Give ann a", "1 Take ben a", "2 Give ann a", "3 Use ann x", "4 Take ben a"}, nil},
		"used again after":           {[]string{"0 Give ann a", "1 Use ann x", "2 Take ben a", "3 Use ann x"}, nil},
		"used before":                {[]string{"0 Use ann x", "1 Give ann a", "2 Give ann b"}, []string{"used-given of ann: 2"}},
		"used before, and all taken": {[]string{"0 Use ann x", "1 Give ann a", "2 Give ann b", "3 Take ben b", "4 Take ben a"}, nil},
	} {
		t.Run(name, func(t *testing.T) { inAnyOrder(t, script(c.events...), c.want) })
	}
}

// inAnyOrder delivers events in many orders and ways, which all come to want.
func inAnyOrder(t *testing.T, events, want []string) {
	t.Helper()
	set := setOf(t, partsSet)
	rng := rand.New(rand.NewPCG(11, 13))
	got := weakOf(applyBatch(t, newEngine(t, set), openDB(t), true, events...))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("in one batch (-want +got):\n%s", diff)
	}
	for range 6 {
		findings := deliver(t, rng, set, events)
		if diff := cmp.Diff(want, weakOf(findings)); diff != "" {
			t.Fatalf("as delivered (-want +got):\n%s\n%s", diff, strings.Join(tell(findings), "\n"))
		}
	}
}

func TestPartsDoNotDependOnDelivery(t *testing.T) {
	set := setOf(t, partsSet)
	rounds := 30
	if testing.Short() {
		rounds = 15
	}
	found := 0
	for round := range rounds {
		rng := rand.New(rand.NewPCG(uint64(round), 2))
		events := make([]string, 6+rng.IntN(14))
		for i := range events {
			op := []string{"Give", "Give", "Give", "Take", "Take", "Use"}[rng.IntN(6)]
			user := []string{"ann", "ann", "ben"}[rng.IntN(3)]
			events[i] = auditRecord(i, noon.Add(time.Duration(rng.IntN(50))*30*time.Second), op, user, string(rune('a'+rng.IntN(4))), 1)
		}
		want := weakOf(applyBatch(t, newEngine(t, set), openDB(t), true, events...))
		found += len(want)
		for range 4 {
			got := deliver(t, rng, set, events)
			if diff := cmp.Diff(want, weakOf(got)); diff != "" {
				t.Fatalf("round %d (-in one batch +as delivered):\n%s\n%s\n%s", round, diff, strings.Join(events, "\n"), strings.Join(tell(got), "\n"))
			}
		}
	}
	if found < rounds/2 {
		t.Errorf("only %d violations are left open", found)
	}
}

func TestRestoresWithoutPartsAreThinned(t *testing.T) {
	e, db := newEngine(t, setOf(t, partsSet)), openDB(t)
	for i := range manyStrong + 30 {
		got := applyBatch(t, e, db, true, auditRecord(i, noon.Add(time.Duration(i)*time.Second), "Take", "ben", "a", 1))
		if len(got) != 1 || got[0].Rule.Entry != "given" {
			t.Fatalf("found %v, want only what the rule itself restores", tell(got))
		}
	}
	rows := 0
	if err := db.QueryRow(`SELECT COUNT(*) FROM part_strong`).Scan(&rows); err != nil || rows != 3*(manyStrong+1) {
		t.Errorf("%d rows, %v; want for each of three entries %d, and one of the hour", rows, err, manyStrong)
	}
	applyBatch(t, e, db, true, auditRecord(900, noon.Add(9*24*time.Hour), "Take", "ben", "z", 1))
	if err := db.QueryRow(`SELECT COUNT(*) FROM part_strong WHERE happened < $1`, noon.Add(time.Hour).UnixMicro()).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows, %v; want none after nine days", rows, err)
	}
}

// Of many, the newest is known: what is found late is over.
func TestThinnedRestoresStillRestore(t *testing.T) {
	e, db := newEngine(t, setOf(t, partsSet)), openDB(t)
	var takes []string
	for i := range manyStrong + 30 {
		for _, thing := range []string{"a", "b", "c"} {
			takes = append(takes, auditRecord(1000*i+int(thing[0]), noon.Add(time.Duration(i)*time.Minute/2), "Take", "ben", thing, 1))
		}
	}
	got := applyBatch(t, e, db, true, takes[:len(takes)/2]...)
	for _, take := range takes[len(takes)/2:] {
		got = append(got, applyBatch(t, e, db, true, take)...)
	}
	got = append(got, applyBatch(t, e, db, true, script("40 Give ann a", "41 Give ann b", "42 Give ann c")...)...)
	if weak := weakOf(got); weak != nil {
		t.Errorf("still weak: %v", weak)
	}
	got = append(got, applyBatch(t, e, db, true, auditRecord(77, noon.Add(50*time.Minute), "Give", "ann", "d", 1))...)
	if diff := cmp.Diff([]string{"burst of ann: 1"}, weakOf(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPartsThatCannotBeAreRefused(t *testing.T) {
	given := strings.Split(partsSet, "---\ntitle: used\n")[0] + "---\n"
	for name, c := range map[string]struct{ doc, want string }{
		"restores what has none": {
			`{type: event_count, rules: ["given:restored"], group-by: [event.subject], timespan: 1m, condition: {gte: 1}}
safeguard: {entry: x, restores: true, parts: [event.subject]}`, "no document of entry",
		},
		"counts something else": {
			`{type: value_count, rules: [given], group-by: [UserId], timespan: 1m, condition: {field: UserId, gte: 1}}
safeguard: {entry: x, parts: [event.subject]}`, "same fields",
		},
		"raises": {
			`{type: event_count, rules: [given], group-by: [UserId], timespan: 1m, condition: {gte: 1}}
safeguard: {entry: x, raises: true, parts: [event.subject]}`, "parts go with",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(nil, Source{FS: fstest.MapFS{"stateful/x.yml": {Data: []byte(given + "title: x\ncorrelation: " + c.doc)}}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

func TestPartsAreRestoredWhileOtherRulesAreOff(t *testing.T) {
	set := setOf(t, partsSet)
	set.Disabled = append(set.Disabled, &Rule{Meta: Meta{Entry: "used-given"}})
	set.unplug()
	e, db := newEngine(t, set), openDB(t)
	events := script("0 Use ann x", "1 Give ann a", "2 Give ann b", "3 Give ann c", "4 Take ben a", "5 Take ben b", "6 Take ben c")
	got := applyBatch(t, e, db, true, events[:4]...)
	if diff := cmp.Diff([]string{"burst of ann: 3"}, weakOf(got)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if got = append(got, applyBatch(t, e, db, true, events[4:]...)...); weakOf(got) != nil {
		t.Errorf("still weak: %v", weakOf(got))
	}
}
