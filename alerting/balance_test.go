package alerting

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Whatever a receiver answers, the accounts balance at every moment, and when
// it answers well in the end it shows the ledger.
func TestAccountsBalanceWhateverReceiversAnswer(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		for seed := range uint64(8) {
			r := rand.New(rand.NewPCG(seed, 3))
			w := newWorld(t, db.again(t))
			healthy := false
			answer := func(int, Group) error {
				if healthy {
					return nil
				}
				return []error{
					nil, nil, nil, errors.New("status 500"), Permanent(errors.New("status 400")),
					RetryAfter(time.Minute, errors.New("status 429")), context.DeadlineExceeded,
				}[r.IntN(7)]
			}
			w.chat.before, w.chat.after = answer, answer
			conn := w.db.open(t)
			l := newLedger(t, conn, Options{Route: chatRoute(t), Now: w.clock.now})
			findings := history(r, 72*h)
			for len(findings) > 0 {
				n := 1 + r.IntN(min(5, len(findings)))
				apply(t, l, findings[:n]...)
				findings = findings[n:]
				if r.IntN(2) == 0 {
					w.deliverOne(t, conn)
				}
				checkBalance(t, l)
			}
			healthy = true
			if _, err := conn.Exec(`UPDATE deliveries SET parked = FALSE`); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				w.deliverOne(t, conn)
			}
			checkBalance(t, l)
			w.checkLatest(t, l)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	})
}

// deliverOne is deliver, one attempt at a time: the answers of a seed come in a fixed order.
func (w *world) deliverOne(t testing.TB, db *sql.DB) {
	t.Helper()
	w.clock.Time = w.clock.Add(time.Hour)
	o := DispatchOptions{Now: w.clock.now, Concurrency: 1}
	d, err := NewDispatcher(db, map[string]Receiver{"chat": w.chat}, o, testLog(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	workers, _ := d.workers()
	workers[0].drain(t.Context())
}

func checkBalance(t testing.TB, l *Ledger) {
	t.Helper()
	accounts, err := l.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts {
		if !a.Balanced() {
			t.Fatalf("account does not balance: %+v", a)
		}
	}
}

// checkLatest holds the newest message that shows a violation against the ledger.
func (w *world) checkLatest(t testing.TB, l *Ledger) {
	t.Helper()
	for _, v := range all(t, l, Filter{}) {
		d, err := l.Violation(t.Context(), v.ID)
		if err != nil {
			t.Fatal(err)
		}
		open := 0
		for _, g := range d.Deliveries {
			if g.Wanted != g.Achieved {
				t.Errorf("group %s stands at %d of %d", g.Group, g.Achieved, g.Wanted)
			}
			if !g.Finished {
				open++
			}
		}
		if v.State.Open() && open != 1 {
			t.Errorf("%s is shown by %d unfinished groups", brief(v), open)
		}
		shown := slices.ContainsFunc(d.Deliveries, func(g Delivery) bool {
			return strings.Contains(w.chat.shown[g.Group], state(v))
		})
		if !shown {
			t.Errorf("no message shows %s", state(v))
		}
	}
}

// state is what a message must show of a violation even if repeats came later.
func state(v Violation) string { return fmt.Sprintf("%s %s %s", v.Entry, v.Subject, v.State) }
