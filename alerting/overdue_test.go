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
				if err := l.SweepOverdue(t.Context(), now.Time, DefaultLimits()); err != nil {
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
		checkBrief(t, l, pTaken, qRestored, ea, "safeguard-open-too-long ca-policy-disabled + p closed critical since 8h0m0s acknowledged by eve", qOver)
	})
}
