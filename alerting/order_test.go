package alerting

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"phiwatch/detectors"
)

// history makes up what happens to a few subjects over a span of time: cycles
// of weakening and restoring, repeats, ties, incidents.
func history(r *rand.Rand, span time.Duration) []detectors.Finding {
	var out []detectors.Finding
	steps := int(span / (10 * time.Minute))
	for subject := range 3 {
		name := string(rune('p' + subject))
		for i := range 2 + r.IntN(14) {
			at := time.Duration(r.IntN(steps)) * 10 * time.Minute
			if r.IntN(4) == 0 && len(out) > 0 {
				at = out[len(out)-1].Time.Sub(day) // at the same instant as something else
			}
			event := fmt.Sprintf("%s-%02d", name, i)
			f := weak(name, event, at)
			switch r.IntN(5) {
			case 0, 1:
				f = back(name, event, at)
			case 2:
				f = incident(name, event, at)
			}
			f.Severity = detectors.Severity(r.IntN(5))
			f.Evidence.Actor = fmt.Sprintf("actor-%d@example.org", r.IntN(5))
			if r.IntN(3) == 0 {
				f.Subject = string(name[0] - 'a' + 'A')
			}
			if r.IntN(4) == 0 {
				f.Name = ""
			}
			out = append(out, f)
			if r.IntN(6) == 0 { // delivered again, with another time in its envelope
				f.Time = f.Time.Add(time.Duration(r.IntN(3)) * 10 * time.Minute)
				out = append(out, f)
			}
		}
	}
	return out
}

// outline is what the oracle says of a violation.
type outline struct {
	State            Status
	Opened, Restored time.Time
	Severity         string
	Repeats          int
	Actor            string
}

// said is what a finding says, as the oracle sees it.
type said struct {
	at       time.Time
	event    string
	sev      detectors.Severity
	actor    string
	restores bool
	quiet    time.Duration
	of       *detectors.Finding
}

func inOrder(a, b said) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.event, b.event)) }

// told returns what findings say of each violation: each event once, at its earliest.
func told(findings []detectors.Finding) map[string][]said {
	first := map[string]said{}
	for i := range findings {
		f := &findings[i]
		k := ViolationID(f.Tenant, f.Rule.Entry, f.Subject) + f.Evidence.EventID + string(f.State)
		if have, ok := first[k]; !ok || f.Time.Before(have.at) {
			first[k] = said{f.Time, f.Evidence.EventID, f.Severity, f.Evidence.Actor, f.State == detectors.Restored, f.Rule.Quiet, f}
		}
	}
	out := map[string][]said{}
	for _, o := range first {
		id := ViolationID(o.of.Tenant, o.of.Rule.Entry, o.of.Subject)
		out[id] = append(out[id], o)
	}
	return out
}

// flappingOf returns the incidents of what goes and comes: at each restore, all
// that was said in the day before it is looked at.
func flappingOf(findings []detectors.Finding) []detectors.Finding {
	var out []detectors.Finding
	for _, list := range told(findings) {
		rank := map[bool]int{true: 0, false: 1}
		slices.SortFunc(list, func(a, b said) int {
			return cmp.Or(a.at.Compare(b.at), cmp.Compare(rank[a.restores], rank[b.restores]), cmp.Compare(a.event, b.event))
		})
		for i, o := range list {
			if !o.restores || i > 0 && list[i-1].restores && list[i-1].at.Equal(o.at) {
				continue
			}
			times, weak := 0, false
			for _, before := range list[:i+1] {
				switch {
				case o.at.Sub(before.at) >= 24*time.Hour || before.of.State == detectors.Incident:
				case !before.restores:
					weak = true
				case weak:
					times, weak = times+1, false
				}
			}
			if times >= 3 {
				f := detectors.Finding{Rule: FlappingRule(), State: detectors.Incident, Tenant: tenant, Severity: detectors.High, Time: o.at}
				f.Subject = o.of.Rule.Entry + " + " + o.of.Subject
				f.Evidence.EventID, f.Evidence.Actor = "flap "+o.at.String(), o.actor
				out = append(out, f)
			}
		}
	}
	return out
}

// oracle derives the violations from all findings at once, looking backwards
// from the newest weakening: another way than the ledger's.
func oracle(findings []detectors.Finding) map[string]outline {
	bySubject := told(slices.Concat(findings, flappingOf(findings)))
	out := map[string]outline{}
	for id, list := range bySubject {
		var weakenings, restores []said
		for _, o := range list {
			if o.restores {
				restores = append(restores, o)
			} else {
				weakenings = append(weakenings, o)
			}
		}
		if len(weakenings) == 0 {
			continue
		}
		slices.SortFunc(weakenings, inOrder)
		slices.SortFunc(restores, inOrder)
		newest := weakenings[len(weakenings)-1]
		v := outline{State: StatusOpen, Opened: newest.at, Actor: newest.actor}
		sev := newest.sev
		for i := len(weakenings) - 2; i >= 0; i-- {
			w := weakenings[i]
			split := slices.ContainsFunc(restores, func(r said) bool { return r.at.After(w.at) && !r.at.After(v.Opened) })
			if split || w.quiet > 0 && v.Opened.Sub(w.at) > w.quiet {
				break
			}
			v.Opened, sev = w.at, max(sev, w.sev)
			v.Repeats++
		}
		if i := slices.IndexFunc(restores, func(r said) bool { return r.at.After(newest.at) }); i >= 0 {
			v.State, v.Restored = StatusRestored, restores[i].at
		}
		v.Severity = sev.String()
		out[id] = v
	}
	return out
}

func outlines(violations []Violation) map[string]outline {
	out := map[string]outline{}
	for _, v := range violations {
		out[v.ID] = outline{v.State, v.Opened, v.Restored, v.Severity, v.Repeats, v.Actor}
	}
	return out
}

// run applies findings in batches, some of them twice, to a ledger that
// forgets it all, and returns the violations.
func run(t *testing.T, l *Ledger, r *rand.Rand, findings []detectors.Finding) []Violation {
	t.Helper()
	ctx := t.Context()
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	for rest := findings; len(rest) > 0; {
		n := 1 + r.IntN(min(len(rest), 12))
		for range 1 + r.IntN(2) {
			if err := l.Apply(ctx, tx, rest[:n]); err != nil {
				t.Fatal(err)
			}
		}
		rest = rest[n:]
	}
	return within(t, ctx, tx)
}

// within returns the violations as a transaction sees them.
func within(t *testing.T, ctx context.Context, tx *sql.Tx) []Violation {
	t.Helper()
	var out []Violation
	err := each(ctx, tx, func(rows *sql.Rows) error {
		row, err := scanRow(rows)
		if err == nil {
			out = append(out, row.before)
		}
		return err
	}, selectRows+"TRUE ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAnyOrderRepetitionAndBatchingGiveTheSameLedger(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		l := newLedger(t, db.open(t), Options{Now: (&clock{day.Add(1000 * h)}).now})
		for seed := range uint64(30 / thin) {
			r := rand.New(rand.NewPCG(seed, 1))
			findings := history(r, 72*h)
			var want []Violation
			for trial := range 4 {
				got := run(t, l, r, findings)
				if trial == 0 {
					want = got
					if diff := gocmp.Diff(oracle(findings), outlines(got)); diff != "" {
						t.Fatalf("seed %d, against the oracle (-want +got):\n%s", seed, diff)
					}
				} else if diff := gocmp.Diff(want, got); diff != "" {
					t.Fatalf("seed %d, order %d, against order 0 (-want +got):\n%s", seed, trial, diff)
				}
				r.Shuffle(len(findings), func(i, j int) { findings[i], findings[j] = findings[j], findings[i] })
			}
		}
	})
}

// Over weeks, what is old is compacted; findings up to 72 hours late must
// still take their place.
func TestLatenessUpTo72HoursGivesTheSameLedger(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{Now: (&clock{day.Add(1000 * h)}).now})
	for seed := range uint64(40 / thin) {
		r := rand.New(rand.NewPCG(seed, 2))
		findings := history(r, 20*24*h)
		want := oracle(findings)
		for trial := range 3 {
			arrival := map[int]time.Time{}
			order := make([]int, len(findings))
			for i := range findings {
				order[i] = i
				arrival[i] = findings[i].Time.Add(time.Duration(r.Int64N(int64(Lateness))) * time.Duration(trial) / 2)
			}
			slices.SortStableFunc(order, func(a, b int) int { return arrival[a].Compare(arrival[b]) })
			arrived := make([]detectors.Finding, len(order))
			for i, at := range order {
				arrived[i] = findings[at]
			}
			if diff := gocmp.Diff(want, outlines(run(t, l, r, arrived))); diff != "" {
				t.Fatalf("seed %d, trial %d (-want +got):\n%s", seed, trial, diff)
			}
		}
	}
}

func TestCompactionKeepsOnlyTheLast72Hours(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{Now: (&clock{day.Add(10000 * h)}).now})
	for i := range 400 {
		apply(t, l, weak("p", fmt.Sprintf("e%03d", i), time.Duration(i)*h))
	}
	checkBrief(t, l, "ca-policy-disabled p open high since 0s repeats 399")
	var n int
	if err := l.db.QueryRow(`SELECT count(*) FROM observations`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n < 72 || n > 97 {
		t.Errorf("%d hourly observations are stored, want those of the last 72 to 96 hours", n)
	}
	apply(t, l, back("p", "late", 10*h)) // far too late: counted, kept as evidence, changes nothing
	checkBrief(t, l, "ca-policy-disabled p open high since 0s repeats 399")
	if err := l.db.QueryRow(`SELECT n FROM ledger_counts WHERE name = 'late' AND label = 'ca-policy-disabled'`).Scan(&n); err != nil || n != 1 {
		t.Errorf("late findings counted: %d, %v", n, err)
	}
	if _, err := l.Evidence(t.Context(), "late"); err != nil {
		t.Error(err)
	}
}

func TestAnEventDatedInTheFutureDoesNotMakeEverythingLate(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{Now: (&clock{day.Add(100 * h)}).now})
	apply(t, l, weak("p", "e1", h), weak("p", "far", 80000*h), back("p", "r1", 50*h), weak("p", "e2", 60*h), back("p", "r2", 90000*h))
	apply(t, l, weak("p", "e3", 70*h))
	checkBrief(t, l, "ca-policy-disabled p restored high since 60h0m0s restored 90000h0m0s by bob@example.org repeats 2")
}
