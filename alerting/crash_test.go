package alerting

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors"
)

// world is what outlives a process: the database, the destination, the hub
// and the time of day.
type world struct {
	db      database
	chat    *fake
	batches [][]detectors.Finding
	clock   *clock
}

func newWorld(t testing.TB, db database) *world {
	raised := weak("p", "e4", 4*h)
	raised.Severity = detectors.Critical
	return &world{db: db, chat: newFake(), clock: &clock{day.Add(10 * h)}, batches: [][]detectors.Finding{
		{weak("p", "e1", h), incident("ea", "i1", h)},
		{weak("q", "e2", 2*h), back("p", "e3", 3*h), raised},
		{back("p", "e5", 5*h), back("q", "e6", 5*h)},
		{weak("p", "e7", 6*h)},
	}}
}

func chatRoute(t testing.TB) *Route {
	r := &Route{Receiver: "chat"}
	if err := r.Validate([]string{"chat"}); err != nil {
		t.Fatal(err)
	}
	return r
}

// live is a process: it takes in the batches that the database does not have
// yet, and after each one works off what is due. It returns when it dies.
func (w *world) live(t testing.TB, db *sql.DB) {
	t.Helper()
	l, err := NewLedger(db, Options{Route: chatRoute(t), Now: w.clock.now}, testLog(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	w.deliver(t, db)
	for i, batch := range w.batches {
		if err := w.take(t.Context(), l, i, batch); err != nil {
			return
		}
		w.deliver(t, db)
	}
}

// take decides a batch and moves the position, in one transaction.
func (w *world) take(ctx context.Context, l *Ledger, i int, batch []detectors.Finding) error {
	return inTx(ctx, l.db, func(tx *sql.Tx) error {
		var at int
		if err := tx.QueryRowContext(ctx, `SELECT n FROM ledger_counts WHERE name = 'test-position'`).Scan(&at); err != nil {
			return err
		}
		if at != i {
			return nil
		}
		if err := l.Apply(ctx, tx, batch); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE ledger_counts SET n = $1 WHERE name = 'test-position'`, i+1)
		return err
	})
}

// deliver works off what is due, an hour later than what was before.
func (w *world) deliver(t testing.TB, db *sql.DB) {
	t.Helper()
	w.clock.Time = w.clock.Add(time.Hour)
	o := DispatchOptions{Now: w.clock.now, Drain: time.Millisecond}
	d, err := NewDispatcher(db, map[string]Receiver{"chat": w.chat}, o, testLog(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	workers, _ := d.workers()
	for _, worker := range workers {
		worker.drain(t.Context())
	}
}

func (w *world) start(t testing.TB) {
	t.Helper()
	if _, err := w.db.open(t).Exec(`INSERT INTO ledger_counts (name, label, n) VALUES ('test-position', '', 0)`); err != nil {
		t.Fatal(err)
	}
}

// check holds the world against one in which nobody ever died.
func (w *world) check(t testing.TB) {
	t.Helper()
	db := w.db.open(t)
	l := newLedger(t, db, Options{})
	checkBrief(t, l, "ca-policy-disabled p open high since 6h0m0s",
		"ca-policy-disabled q restored high since 2h0m0s restored 5h0m0s by bob@example.org",
		"emergency-signin ea open high since 1h0m0s")
	w.chat.checkOnce(t)
	w.chat.checkShown(t, "ca-policy-disabled p open high since 6h0m0s",
		"ca-policy-disabled p restored critical since 4h0m0s restored 5h0m0s by bob@example.org; "+
			"ca-policy-disabled q restored high since 2h0m0s restored 5h0m0s by bob@example.org",
		"emergency-signin ea open high since 1h0m0s")
	accounts, err := l.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts {
		if !a.Balanced() || a.Pending != 0 || a.Matched != 7 {
			t.Errorf("account %+v", a)
		}
	}
}

func TestWithoutCrash(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		w := newWorld(t, db)
		w.start(t)
		w.live(t, db.open(t))
		w.check(t)
		if len(w.chat.posted) != 3 || len(w.chat.repeats) != 0 {
			t.Errorf("posted %v, repeats %v", w.chat.posted, w.chat.repeats)
		}
	})
}

// The process dies at every operation on the database in turn; a commit at
// which it dies either happened or did not.
func TestDeathAtEveryDatabaseOperation(t *testing.T) {
	for _, keep := range []bool{false, true} {
		died := 0
		for at := 1; ; at += thin {
			db := sqlite(t)
			db.dsn = strings.Replace(db.dsn, "synchronous(FULL)", "synchronous(OFF)", 1) // no power is cut here
			w, f := newWorld(t, db), &faults{left: at, keep: keep}
			w.start(t)
			dying := db.openFaulty(t, f)
			w.live(t, dying)
			dying.Close()
			if !f.died() {
				break
			}
			died++
			w.live(t, db.open(t))
			if w.check(t); t.Failed() {
				t.Fatalf("after death at operation %d, its commit kept: %v", at, keep)
			}
		}
		if died < 50/thin {
			t.Errorf("the process died %d times only", died)
		}
	}
}

// The process dies inside each attempt in turn, before or after the message
// is there.
func TestDeathInsideDeliver(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		died := 0
		for call := 1; call <= 7; call++ {
			for _, sent := range []bool{false, true} {
				t.Run(fmt.Sprintf("attempt %d, sent: %v", call, sent), func(t *testing.T) {
					if dieInside(t, db.again(t), call, sent) {
						died++
					}
				})
			}
		}
		if died < 8 {
			t.Errorf("the process died %d times only", died)
		}
	})
}

// dieInside reports whether there was such an attempt to die in.
func dieInside(t *testing.T, db database, call int, sent bool) bool {
	w, f := newWorld(t, db), new(faults)
	w.start(t)
	die := func(n int, g Group) error {
		if n == call {
			f.die()
			return errDied
		}
		return nil
	}
	if sent {
		w.chat.after = die
	} else {
		w.chat.before = die
	}
	w.live(t, db.openFaulty(t, f))
	if !f.died() {
		return false
	}
	w.live(t, db.open(t))
	w.check(t)
	return true
}

func TestRepeatIsSaidOnlyOfAFirstDeliveryThatMayHaveArrived(t *testing.T) {
	refused := errors.New("status 503")
	for _, tt := range []struct {
		name   string
		err    error
		repeat bool
	}{
		{"answered with an error", refused, false},
		{"no answer in time", context.DeadlineExceeded, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, sqlite(t))
			w.start(t)
			w.chat.before = func(n int, g Group) error {
				if n == 1 {
					return tt.err
				}
				return nil
			}
			db := w.db.open(t)
			l := newLedger(t, db, Options{Route: chatRoute(t), Now: w.clock.now})
			apply(t, l, weak("p", "e1", h))
			w.deliver(t, db)
			w.chat.before = nil
			w.deliver(t, db)
			apply(t, l, back("p", "e2", 2*h))
			w.deliver(t, db)
			want := map[string]int{}
			if tt.repeat {
				want[w.chat.posted[0]] = 1
			}
			if diff := cmp.Diff(want, w.chat.repeats); diff != "" {
				t.Errorf("messages that say they may be repeats (-want +got):\n%s", diff)
			}
		})
	}
}
