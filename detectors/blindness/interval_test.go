package blindness

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/detectors"
)

// gaps ticks, and returns what is told of intervals: subject, from and to, and
// the id that folds.
func (l *listener) gaps() (out []string, ids []string) {
	l.t.Helper()
	l.now = l.now.Add(round)
	findings, err := l.watch.Tick(l.t.Context(), l.tx, l.now, l.hubs)
	if err != nil {
		l.t.Fatal(err)
	}
	l.watch.Done()
	for _, f := range findings {
		var record struct {
			Tenant, Subject string
			Details         struct{ From, To time.Time }
		}
		if err := json.Unmarshal(f.Evidence.Record, &record); err != nil {
			l.t.Fatal(err)
		}
		if f.Rule.Entry != "evidence-gap" || f.State != detectors.Incident || f.Tenant != record.Tenant || f.Subject != record.Subject || !f.Time.Equal(record.Details.To) {
			l.t.Errorf("got %s of %s: %s", asLine(&f), f.Tenant, f.Evidence.Record)
		}
		out = append(out, fmt.Sprintf("%s: %s to %s", f.Subject, record.Details.From.Format("15:04"), record.Details.To.Format("15:04")))
		ids = append(ids, f.Evidence.EventID)
	}
	return out, ids
}

func TestIntervalInWhichAStreamWasOff(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 9, 3, hour, 0, 0, 0, time.UTC) }
	const entra, activity = "to-hub", "/subscriptions/s1/providers/microsoft.insights/diagnosticSettings/a"
	type turn struct {
		entry, subject string
		state          detectors.State
		hour           int
	}
	ual := func(state detectors.State, hour int) turn { return turn{"ual-ingestion-off", "T1", state, hour} }
	for name, c := range map[string]struct {
		turns []turn // a tick after each; hour -1: a restart
		want  []string
	}{
		"off and on":                  {[]turn{ual(detectors.Weakened, 1), ual(detectors.Restored, 4)}, []string{"t1 + m365-audit: 01:00 to 04:00"}},
		"it is off still":             {[]turn{ual(detectors.Weakened, 1)}, nil},
		"it was never off":            {[]turn{ual(detectors.Restored, 4)}, nil},
		"on arrives first":            {[]turn{ual(detectors.Restored, 4), ual(detectors.Weakened, 1)}, []string{"t1 + m365-audit: 01:00 to 04:00"}},
		"each arrives again":          {[]turn{ual(detectors.Weakened, 1), ual(detectors.Weakened, 1), ual(detectors.Restored, 4), ual(detectors.Restored, 4), ual(detectors.Weakened, 1)}, []string{"t1 + m365-audit: 01:00 to 04:00"}},
		"off twice":                   {[]turn{ual(detectors.Weakened, 1), ual(detectors.Weakened, 2), ual(detectors.Restored, 4)}, []string{"t1 + m365-audit: 01:00 to 04:00"}},
		"on twice":                    {[]turn{ual(detectors.Weakened, 1), ual(detectors.Restored, 4), ual(detectors.Restored, 5)}, []string{"t1 + m365-audit: 01:00 to 04:00"}},
		"twice off and on":            {[]turn{ual(detectors.Weakened, 1), ual(detectors.Restored, 4), ual(detectors.Weakened, 6), ual(detectors.Restored, 7)}, []string{"t1 + m365-audit: 01:00 to 04:00", "t1 + m365-audit: 06:00 to 07:00"}},
		"off earlier, known later":    {[]turn{ual(detectors.Weakened, 2), ual(detectors.Restored, 4), ual(detectors.Weakened, 1)}, []string{"t1 + m365-audit: 02:00 to 04:00", "t1 + m365-audit: 01:00 to 04:00"}},
		"a restart between":           {[]turn{ual(detectors.Weakened, 1), {hour: -1}, ual(detectors.Restored, 4), {hour: -1}, ual(detectors.Restored, 4)}, []string{"t1 + m365-audit: 01:00 to 04:00"}},
		"at the same time, it is off": {[]turn{ual(detectors.Weakened, 1), ual(detectors.Restored, 1), ual(detectors.Restored, 2)}, []string{"t1 + m365-audit: 01:00 to 02:00"}},
		"Entra's setting":             {[]turn{{"entra-diag-deleted", entra, detectors.Weakened, 1}, {"entra-diag-deleted", entra, detectors.Restored, 2}}, []string{"t1 + entra + to-hub: 01:00 to 02:00"}},
		"the Activity Log's setting":  {[]turn{{"azure-diag-deleted", activity, detectors.Weakened, 1}, {"azure-diag-deleted", activity, detectors.Restored, 2}}, []string{"/subscriptions/s1: 01:00 to 02:00"}},
		"a setting of what is not read here": {
			[]turn{{"azure-diag-deleted", "/subscriptions/s1/resourcegroups/r/providers/microsoft.sql/servers/v" + ofSetting, detectors.Weakened, 1},
				{"azure-diag-deleted", "/subscriptions/s1/resourcegroups/r/providers/microsoft.sql/servers/v" + ofSetting, detectors.Restored, 2}}, nil,
		},
		"one mailbox": {[]turn{{"mailbox-audit-off", "ann@example.org", detectors.Weakened, 1}, {"mailbox-audit-off", "ann@example.org", detectors.Restored, 2}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, Options{})
			var got, ids []string
			for _, turn := range c.turns {
				if turn.hour < 0 {
					l.restart(time.Hour)
					continue
				}
				l.note(turn.entry, turn.subject, turn.state, at(turn.hour))
				told, of := l.gaps()
				got, ids = append(got, told...), append(ids, of...)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if !slices.IsSorted(ids) && name == "off earlier, known later" {
				t.Errorf("of %v the ledger would not show the last, which knows more", ids)
			}
		})
	}
}

// TestIntervalsInAnyOrder has everything arrive before the watch looks, and once
// more later.
func TestIntervalsInAnyOrder(t *testing.T) {
	want := []string{"t1 + m365-audit: 01:00 to 03:00", "t1 + m365-audit: 05:00 to 08:00"}
	for seed := range uint64(20) {
		l := listen(t, Options{})
		r := rand.New(rand.NewPCG(seed, 0))
		play := func() {
			for _, hour := range r.Perm(9) {
				state := []detectors.State{detectors.Restored, detectors.Weakened, detectors.Weakened, detectors.Restored, detectors.Restored, detectors.Weakened, detectors.Weakened, detectors.Weakened, detectors.Restored}[hour]
				l.note("ual-ingestion-off", "t1", state, time.Date(2026, 9, 3, hour, 0, 0, 0, time.UTC))
			}
		}
		play()
		if got, _ := l.gaps(); cmp.Diff(want, got) != "" {
			t.Errorf("seed %d: %s", seed, cmp.Diff(want, got))
		}
		l.restart(time.Hour)
		play()
		if got, _ := l.gaps(); got != nil {
			t.Errorf("seed %d: told again: %v", seed, got)
		}
	}
}

func TestWhatIsKeptOfASwitchIsBounded(t *testing.T) {
	l := listen(t, Options{})
	begin := time.Date(2026, 9, 3, 0, 0, 0, 0, time.UTC)
	told := 0
	for i := range 2 * maxTurns {
		l.note("ual-ingestion-off", "t1", []detectors.State{detectors.Weakened, detectors.Restored}[i%2], begin.Add(time.Duration(i)*time.Minute))
		if i%32 == 31 {
			got, _ := l.gaps()
			told += len(got)
		}
	}
	if told != maxTurns {
		t.Errorf("%d intervals were told, want %d", told, maxTurns)
	}
	for i := range 2 * maxTurns { // off, and off, and off: since the first
		l.note("ual-ingestion-off", "t1", detectors.Weakened, begin.Add(24*time.Hour+time.Duration(i)*time.Minute))
	}
	l.gaps()
	var n int
	if err := l.tx.QueryRow(`SELECT count(*) FROM blind_switches`).Scan(&n); err != nil || n > maxTurns+1 {
		t.Errorf("%d rows are kept, %v", n, err)
	}
	l.note("ual-ingestion-off", "t1", detectors.Restored, begin.Add(48*time.Hour))
	if got, _ := l.gaps(); cmp.Diff([]string{"t1 + m365-audit: 00:00 to 00:00"}, got) != "" {
		t.Errorf("got %v", got)
	}
}

func TestAnIntervalThatAPackLeavesUntold(t *testing.T) {
	l := listen(t, Options{})
	off := time.Date(2026, 9, 3, 1, 0, 0, 0, time.UTC)
	l.note("ual-ingestion-off", "t1", detectors.Weakened, off)
	l.note("ual-ingestion-off", "t1", detectors.Restored, off.Add(time.Hour))
	l.reload(disabling("entry:evidence-gap"))
	l.pass(round, nil)
	l.reload(detectors.Pack{Severity: map[string]string{"entry:evidence-gap": "low"}})
	l.pass(round, nil)
	l.note("ual-ingestion-off", "t1", detectors.Weakened, off.Add(2*time.Hour))
	l.note("ual-ingestion-off", "t1", detectors.Restored, off.Add(3*time.Hour))
	l.pass(round, nil)
	if diff := cmp.Diff([]string{"Thu 04:00 incident evidence-gap low t1 + m365-audit"}, l.told); diff != "" {
		t.Error(diff)
	}
}
