package alerting

import (
	"testing"
	"time"
)

func TestPruneRemovesWhatIsOldAndClosesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		now := &clock{day}
		l := newLedger(t, db.open(t), Options{Now: now.now, Retention: 24 * h})
		apply(t, l, issued("e1", h))
		evidence := func() (n int) {
			t.Helper()
			if err := l.db.QueryRowContext(t.Context(), `SELECT count(*) FROM evidence`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for _, c := range []struct {
			after    time.Duration
			evidence int
		}{{20 * h, 1}, {20*h + 30*time.Minute, 1}, {30 * h, 0}} {
			if err := l.Prune(t.Context(), day.Add(c.after)); err != nil {
				t.Fatal(err)
			}
			if n := evidence(); n != c.evidence {
				t.Errorf("%v: %d records of evidence, want %d", c.after, n, c.evidence)
			}
			checkBrief(t, l, "pass-issued nurse open high since 1h0m0s")
		}
		if err := l.Sweep(t.Context(), day.Add(30*h)); err != nil {
			t.Fatal(err)
		}
		checkBrief(t, l, "pass-issued nurse closed high since 1h0m0s")
	})
}
