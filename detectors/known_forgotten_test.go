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

// switched is a rule of things that harm, when they are on, in two ways.
const switched = `
title: Thing that harms switched on
id: 5d0f1c1e-0000-4000-8000-00000000000c
logsource: {product: m365, service: audit}
detection:
  selection: {Operation: Enable-Thing}
  condition: selection
level: high
safeguard:
  entry: thing
  subject: ObjectId
  sides:
    A: {weak: {param.A: true}, strong: {param.A: false}}
    B: {weak: {param.B: true}, strong: {param.B: false}}
  known:
    detection: {set: {Operation: Set-Thing}, harms: [{param.A: true}, {param.B: true}], condition: set and harms}
    key: ObjectId
    of: ObjectId
    by: sides
    forgotten:
      detection:
        selection: {Operation: Remove-Thing}
        set: {Operation: Set-Thing}
        mended: [{param.A: false}, {param.B: false}]
        condition: selection or (set and mended)
  unknown: `

// thingEvent is what is done to the thing, and what it comes to.
type thingEvent struct {
	at       time.Time
	did      string // A or B: it harms so; a or b: no longer; x: it is removed; !: it is on
	arrives  time.Time
	reported string
}

// someEvents makes up what is done to a thing in two weeks, in the order of time.
func someEvents(r *rand.Rand) []thingEvent {
	var out []thingEvent
	for range 10 + r.IntN(30) {
		at := noon.Add(time.Duration(r.IntN(14*24)) * time.Hour)
		out = append(out, thingEvent{at: at, did: string("ABabx!!!"[r.IntN(8)])})
	}
	slices.SortStableFunc(out, func(a, b thingEvent) int { return a.at.Compare(b.at) })
	for i := range out {
		ev := &out[i]
		ev.arrives = ev.at.Add(time.Duration(r.IntN(71)) * time.Hour)
		parameters := fmt.Sprintf(`{"Name":%q,"Value":"%t"}`, strings.ToUpper(ev.did), ev.did < "a")
		operation := map[string]string{"x": "Remove-Thing", "!": "Enable-Thing"}[ev.did]
		if operation == "" {
			operation = "Set-Thing"
		}
		ev.reported = fmt.Sprintf(`{"CreationTime":%q,"Id":"%03d","Operation":%q,"OrganizationId":"t","RecordType":1,"ResultStatus":"True","Workload":"Exchange","ObjectId":"thing","UserId":"ann","Parameters":[%s]}`,
			ev.at.Format("2006-01-02T15:04:05"), i, operation, parameters)
	}
	return out
}

// harm says of each time at which the thing was switched on whether it harmed: by
// what was done before, and of one instant by what makes it harm.
func harm(events []thingEvent) map[string]bool {
	out := map[string]bool{}
	for i, ev := range events {
		if ev.did != "!" {
			continue
		}
		last := map[string]time.Time{} // when each was last done
		for _, before := range events {
			if before.at.Before(ev.at) {
				last[before.did] = before.at
			}
		}
		harms := func(way, no string) bool {
			since, ever := last[way]
			return ever && !since.Before(last[no]) && !since.Before(last["x"])
		}
		out[fmt.Sprintf("%03d", i)] = harms("A", "a") || harms("B", "b")
	}
	return out
}

// However records come, up to three days late, several at a time or twice, and
// whenever the process dies, what is on is judged by what was known by then.
func TestWhatIsForgottenIsUnknownFromThenOn(t *testing.T) {
	for _, level := range []string{"none", "low"} {
		set := setOf(t, switched+level)
		for seed := range uint64(12) {
			r := rand.New(rand.NewPCG(seed, 11))
			events := someEvents(r)
			want := harm(events)
			for late := range 3 {
				arriving := slices.Clone(events)
				if late > 0 {
					slices.SortStableFunc(arriving, func(a, b thingEvent) int { return a.arrives.Compare(b.arrives) })
				}
				var records []string
				for _, ev := range arriving {
					records = append(records, ev.reported)
				}
				got := judgedAs(applyAnyhow(t, r, set, records))
				for id := range want {
					if _, told := got[id]; !told {
						got[id] = false // what was never told is nothing
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("level %s, seed %d, order %d (-want +got):\n%s\n%v", level, seed, late, diff, events)
				}
			}
		}
	}
}

// judgedAs says of each event whether it is told with the rule's full severity, as
// the ledger has it: of two tellings the higher revision counts, then the severity,
// and what is taken back by a higher one is nothing.
func judgedAs(findings []Finding) map[string]bool {
	told, back, out := map[string]Finding{}, map[string]int{}, map[string]bool{}
	for i := range findings {
		f := &findings[i]
		_, id, _ := strings.Cut(f.Evidence.EventID, "/")
		switch have, ok := told[id]; {
		case f.State != Weakened:
			back[id] = max(back[id], f.Revision)
		case !ok || f.Revision > have.Revision || f.Revision == have.Revision && f.Severity > have.Severity:
			told[id] = *f
		}
	}
	for id, f := range told {
		out[id] = f.Severity == High && back[id] <= f.Revision
	}
	return out
}

// What is known of long ago, or was forgotten, takes one row at most.
func TestOnlyWhatCountsIsKept(t *testing.T) {
	e, db := newEngine(t, setOf(t, switched+"none")), openDB(t)
	rows := func() (n int) {
		t.Helper()
		if err := db.QueryRow(`SELECT COUNT(*) FROM known_notes`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	did := func(day int, object, operation, value string) {
		t.Helper()
		applyBatch(t, e, db, true, fmt.Sprintf(`{"CreationTime":%q,"Id":"%d","Operation":%q,"OrganizationId":"t","RecordType":1,"ResultStatus":"True","Workload":"Exchange","ObjectId":%q,"UserId":"ann","Parameters":[{"Name":"A","Value":%q}]}`,
			noon.AddDate(0, 0, day).Format("2006-01-02T15:04:05"), day, operation, object, value))
	}
	for day := range 40 {
		did(day, "a", "Set-Thing", "true")
	}
	if n := rows(); n < 7 || n > 9 {
		t.Errorf("%d notes of a thing that is set every day are kept, want those of a week and the one before", n)
	}
	did(41, "a", "Remove-Thing", "")
	did(42, "b", "Remove-Thing", "")
	did(60, "c", "Set-Thing", "true")
	if n := rows(); n != 1 {
		t.Errorf("%d notes are kept after two things are gone for long, want that of the third", n)
	}
}

func TestKnownMistakes(t *testing.T) {
	for known, want := range map[string]string{
		"{key: ObjectId, detection: {s: {Operation: x}, condition: s}}":                                           "safeguard.known: write {detection: DETECTION, key: SUBJECT, of: SUBJECT}",
		"{key: ObjectId, of: ObjectId, detection: {s: {Operation: x}, condition: s}, forgotten: {key: ObjectId}}": "safeguard.known.forgotten: write {detection: DETECTION, key: SUBJECT}",
		"{key: ObjectId, of: ObjectId, by: sides, detection: {s: {Operation: x}, condition: s}}":                  "safeguard.known: by: sides: the rule has none; name them in safeguard.sides",
	} {
		_, err := loadThing(exchangeRule("  selection: {Operation: Set-Thing}\n  condition: selection", "  unknown: none\n  known: "+known+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
