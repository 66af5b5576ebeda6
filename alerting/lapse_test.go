package alerting

import (
	"testing"
	"time"

	"phiwatch/detectors"
)

// pass is a rule whose violations end by themselves after eight hours.
var pass = &detectors.Meta{
	Entry: "pass-issued", Title: "Pass issued", Safeguards: []string{"AUTHN"}, Group: "authentication", Restorable: true, Quiet: 8 * time.Hour,
}

func issued(event string, after time.Duration) detectors.Finding {
	return finding(pass, detectors.Weakened, "nurse", event, after)
}

func deleted(event string, after time.Duration) detectors.Finding {
	return finding(pass, detectors.Restored, "nurse", event, after)
}

func TestWhatLapsesClosesByItselfUnlessRestoredBefore(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		l := newLedger(t, db.open(t), Options{})
		sweep := func(after time.Duration) {
			t.Helper()
			if err := l.Sweep(t.Context(), day.Add(after)); err != nil {
				t.Fatal(err)
			}
		}
		apply(t, l, issued("e1", h))
		sweep(9 * h)
		checkBrief(t, l, "pass-issued nurse open high since 1h0m0s")
		sweep(9*h + time.Second)
		checkBrief(t, l, "pass-issued nurse closed high since 1h0m0s")
		apply(t, l, deleted("e3", 30*h)) // of a pass that was over
		checkBrief(t, l, "pass-issued nurse closed high since 1h0m0s")
		apply(t, l, deleted("e2", 5*h)) // late: it was deleted before
		checkBrief(t, l, "pass-issued nurse restored high since 1h0m0s restored 5h0m0s by ann@example.org")
		apply(t, l, issued("e4", 40*h), issued("e5", 44*h), issued("e5", 44*h))
		sweep(50 * h) // each pass takes the place of the one before
		checkBrief(t, l, "pass-issued nurse open high since 40h0m0s repeats 1")
		apply(t, l, deleted("e6", 51*h))
		sweep(60 * h)
		checkBrief(t, l, "pass-issued nurse restored high since 40h0m0s restored 51h0m0s by ann@example.org repeats 1")
	})
}

func TestWhatHasLapsedOpensAnew(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		l := newLedger(t, db.open(t), Options{})
		apply(t, l, issued("e2", 20*h), deleted("e3", 21*h), issued("e1", h))
		checkBrief(t, l, "pass-issued nurse restored high since 20h0m0s restored 21h0m0s by ann@example.org")
	})
}

func TestWhatLapsesMayBeOpenTooLong(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		now := &clock{day}
		l := newLedger(t, db.open(t), Options{Now: now.now})
		apply(t, l, issued("e1", h))
		overdue := func(after time.Duration) {
			t.Helper()
			now.Time = day.Add(after)
			if err := l.Sweep(t.Context(), now.Time); err != nil {
				t.Fatal(err)
			}
			if err := l.SweepOverdue(t.Context(), now.Time, DefaultLimits(), nil); err != nil {
				t.Fatal(err)
			}
		}
		overdue(6 * h)
		checkBrief(t, l, "pass-issued nurse open high since 1h0m0s", "safeguard-open-too-long pass-issued + nurse open critical since 5h0m0s")
		overdue(10 * h)
		checkBrief(t, l, "pass-issued nurse closed high since 1h0m0s",
			"safeguard-open-too-long pass-issued + nurse restored critical since 5h0m0s restored 10h0m0s by ")
	})
}
