package alerting

import (
	"testing"
	"time"

	"phiwatch/detectors"
)

func TestWhatIsOpenTooLongIsTold(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		now := &clock{day}
		l := newLedger(t, db.open(t), Options{Now: now.now})
		sweep := func(after time.Duration) {
			t.Helper()
			for range 2 { // the second finds nothing new
				now.Time = day.Add(after)
				if err := l.SweepOverdue(t.Context(), now.Time, DefaultLimits(), nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		severe := weak("q", "e2", 2*h)
		severe.Severity = detectors.Critical
		apply(t, l, weak("p", "e1", h), severe, incident("ea", "e3", h)) // which closes by itself
		const p, q = "ca-policy-disabled p open high since 1h0m0s", "ca-policy-disabled q open critical since 2h0m0s"
		const ea = "emergency-signin ea open high since 1h0m0s"
		sweep(2*h + 15*time.Minute)
		checkBrief(t, l, p, q, ea)
		sweep(2*h + 16*time.Minute)
		checkBrief(t, l, p, q, ea, "safeguard-open-too-long ca-policy-disabled + q open critical since 2h15m0s")
		apply(t, l, back("q", "e4", 3*h))
		sweep(4 * h)
		qRestored := "ca-policy-disabled q restored critical since 2h0m0s restored 3h0m0s by bob@example.org"
		qOver := "safeguard-open-too-long ca-policy-disabled + q restored critical since 2h15m0s restored 4h0m0s by "
		checkBrief(t, l, p, qRestored, ea, qOver)
		now.Time = day.Add(4 * h)
		if _, err := l.Acknowledge(t.Context(), ViolationID(tenant, "ca-policy-disabled", "p"), "eve", "on it"); err != nil {
			t.Fatal(err)
		}
		pTaken := "ca-policy-disabled p acknowledged high since 1h0m0s acknowledged by eve"
		sweep(7 * h) // the limit begins anew
		checkBrief(t, l, pTaken, qRestored, ea, qOver)
		sweep(9 * h)
		checkBrief(t, l, pTaken, qRestored, ea, "safeguard-open-too-long ca-policy-disabled + p open critical since 8h0m0s", qOver)
		if _, err := l.Close(t.Context(), ViolationID(tenant, "safeguard-open-too-long", "ca-policy-disabled + p"), "eve", "known"); err != nil {
			t.Fatal(err)
		}
		sweep(90 * h) // nobody is told twice of one episode
		checkBrief(t, l, pTaken, qRestored, ea, "safeguard-open-too-long ca-policy-disabled + p closed critical since 8h0m0s closed by eve", qOver)
	})
}

// A record that comes an hour late is news: its violation is overdue when people
// have known of it for too long.
func TestLateRecordsAreNotOverdueOnArrival(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		now := &clock{day.Add(3 * h)}
		l := newLedger(t, db.open(t), Options{Now: now.now})
		f := weak("p", "e1", h)
		f.Severity = detectors.Critical
		apply(t, l, f)
		const p = "ca-policy-disabled p open critical since 1h0m0s"
		for _, c := range []struct {
			after time.Duration
			more  []string
		}{
			{3*h + time.Minute, nil}, {3*h + 15*time.Minute, nil},
			{3*h + 16*time.Minute, []string{"safeguard-open-too-long ca-policy-disabled + p open critical since 3h15m0s"}},
		} {
			now.Time = day.Add(c.after)
			apply(t, l, f) // a repeat is no news
			if err := l.SweepOverdue(t.Context(), now.Time, DefaultLimits(), nil); err != nil {
				t.Fatal(err)
			}
			checkBrief(t, l, append([]string{p}, c.more...)...)
		}
	})
}

func TestDurationsInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{15 * time.Minute: "15m", 4 * h: "4h", 24 * h: "24h", 90 * time.Minute: "1h30m", 90 * time.Second: "1m30s", 10 * h: "10h", time.Second: "1s"} {
		if got := inWords(d); got != want {
			t.Errorf("inWords(%s) = %q, want %q", d, got, want)
		}
	}
}

// overdueUnder is what a pack makes of OverdueRule.
func overdueUnder(t *testing.T, p detectors.Pack) *detectors.ClockRule {
	t.Helper()
	set := new(detectors.Set)
	if err := set.Tune(p, OverdueRule()); err != nil {
		t.Fatal(err)
	}
	return set.ByClock("safeguard-open-too-long")
}

func TestAPackDecidesWhetherWhatIsOpenTooLongIsTold(t *testing.T) {
	const open = "ca-policy-disabled p open high since 1h0m0s"
	told := func(severity string) []string {
		return []string{open, "safeguard-open-too-long ca-policy-disabled + p open " + severity + " since 5h0m0s"}
	}
	for name, c := range map[string]struct {
		pack detectors.Pack
		want []string
	}{
		"no pack":                 {detectors.Pack{}, told("critical")},
		"the entry off":           {detectors.Pack{Disable: []string{"entry:safeguard-open-too-long"}}, []string{open}},
		"its safeguard off":       {detectors.Pack{Disable: []string{"safeguard:AUDIT"}}, []string{open}},
		"its group but it":        {detectors.Pack{Disable: []string{"group:stateful"}, Enable: []string{"entry:safeguard-open-too-long"}}, told("critical")},
		"another severity":        {detectors.Pack{Severity: map[string]string{"entry:safeguard-open-too-long": "low"}}, told("low")},
		"the severity of a group": {detectors.Pack{Severity: map[string]string{"group:stateful": "medium"}}, told("medium")},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t, sqlite(t).open(t), Options{Now: (&clock{day}).now})
			apply(t, l, weak("p", "e1", h))
			if err := l.SweepOverdue(t.Context(), day.Add(6*h), DefaultLimits(), overdueUnder(t, c.pack)); err != nil {
				t.Fatal(err)
			}
			checkBrief(t, l, c.want...)
		})
	}
}

// TestWhatWasToldOfAnOverdueViolationStaysWhileItIsOff is what becomes of every
// entry that a reload switches off: what is open of it stays so, unless a person
// closes it, and ends once the entry is on again.
func TestWhatWasToldOfAnOverdueViolationStaysWhileItIsOff(t *testing.T) {
	l := newLedger(t, sqlite(t).open(t), Options{Now: (&clock{day}).now})
	sweep := func(after time.Duration, p detectors.Pack) {
		t.Helper()
		if err := l.SweepOverdue(t.Context(), day.Add(after), DefaultLimits(), overdueUnder(t, p)); err != nil {
			t.Fatal(err)
		}
	}
	apply(t, l, weak("p", "e1", h))
	sweep(6*h, detectors.Pack{})
	apply(t, l, back("p", "e2", 7*h))
	const restored = "ca-policy-disabled p restored high since 1h0m0s restored 7h0m0s by bob@example.org"
	const told = "safeguard-open-too-long ca-policy-disabled + p "
	sweep(8*h, detectors.Pack{Disable: []string{"all"}})
	checkBrief(t, l, restored, told+"open critical since 5h0m0s")
	sweep(9*h, detectors.Pack{})
	checkBrief(t, l, restored, told+"restored critical since 5h0m0s restored 9h0m0s by ")
}
