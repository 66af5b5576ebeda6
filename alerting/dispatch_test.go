package alerting

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors"
)

// daemon is a ledger and a running dispatcher with one receiver "chat", on
// synctest's clock.
type daemon struct {
	*Ledger
	d     *Dispatcher
	chat  *fake
	start time.Time
	log   []string // "<seconds since start> <what>"
	stop  func()
}

func startDaemon(t *testing.T, db *sql.DB, route string, chat *fake) *daemon {
	t.Helper()
	r := validRoute(t, route)
	s := &daemon{chat: chat, start: time.Now()}
	reg := prometheus.NewRegistry()
	d, err := NewDispatcher(db, map[string]Receiver{"chat": s}, DispatchOptions{}, testLog(t), reg)
	if err != nil {
		t.Fatal(err)
	}
	s.d = d
	s.Ledger, err = NewLedger(db, Options{Route: r, Changed: d.Wake}, testLog(t), reg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- d.Run(ctx) }()
	s.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	return s
}

func (s *daemon) Deliver(ctx context.Context, g Group, have Receipt) (Receipt, error) {
	at := time.Since(s.start).Round(time.Second)
	receipt, err := s.chat.Deliver(ctx, g, have)
	what := fmt.Sprintf("%s version %d", at, g.Version)
	if err != nil {
		what += ": " + err.Error()
	}
	s.chat.mu.Lock()
	defer s.chat.mu.Unlock()
	s.log = append(s.log, what)
	return receipt, err
}

// lines returns the log, once nothing moves any more.
func (s *daemon) lines() []string {
	synctest.Wait()
	s.chat.mu.Lock()
	defer s.chat.mu.Unlock()
	return slices.Clone(s.log)
}

func (s *daemon) take(t *testing.T, findings ...detectors.Finding) {
	t.Helper()
	apply(t, s.Ledger, findings...)
	s.d.Wake()
}

func (s *daemon) checkLog(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.lines()); diff != "" {
		t.Errorf("deliveries (-want +got):\n%s", diff)
	}
}

// inBubble runs a test on a fake clock with a SQLite database opened in it.
func inBubble(t *testing.T, test func(t *testing.T, db *sql.DB)) {
	path := sqlite(t)
	synctest.Test(t, func(t *testing.T) {
		db, err := sql.Open(path.driver, path.dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		test(t, db)
	})
}

func TestChangesAreToldAtOnceAndOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, db *sql.DB) {
		s := startDaemon(t, db, "receiver: chat", newFake())
		defer s.stop()
		s.take(t, weak("p", "e1", h))
		time.Sleep(10 * time.Second)
		s.take(t, weak("p", "e1", h), weak("p", "e2", 2*h)) // a repeat and one more: nothing anew
		time.Sleep(10 * time.Second)
		s.take(t, back("p", "e3", 3*h))
		time.Sleep(10 * time.Second)
		s.take(t, weak("p", "e4", 4*h)) // the group was finished: a new message
		time.Sleep(time.Hour)
		s.checkLog(t, "0s version 1", "20s version 2", "30s version 1")
		s.chat.checkShown(t, "ca-policy-disabled p open high since 4h0m0s",
			"ca-policy-disabled p restored high since 1h0m0s restored 3h0m0s by bob@example.org repeats 1")
	})
}

func TestGroupWaitAndGroupInterval(t *testing.T) {
	inBubble(t, func(t *testing.T, db *sql.DB) {
		s := startDaemon(t, db, "{receiver: chat, group_wait: 30s, group_interval: 5m}", newFake())
		defer s.stop()
		s.take(t, weak("p", "e1", h))
		time.Sleep(10 * time.Second)
		s.take(t, weak("q", "e2", h))
		time.Sleep(50 * time.Second)
		s.take(t, weak("r", "e3", h))
		time.Sleep(time.Hour)
		s.take(t, back("r", "e4", 2*h))
		time.Sleep(time.Minute)
		s.checkLog(t, "30s version 2", "5m30s version 3", "1h1m0s version 4")
		a, err := s.Accounts(t.Context())
		if err != nil || len(a) != 1 || a[0].Delivered != 3 || a[0].Merged != 1 || !a[0].Balanced() {
			t.Errorf("accounts %+v, %v", a, err)
		}
	})
}

func TestChangeDuringADeliveryWaitsForTheGroupInterval(t *testing.T) {
	inBubble(t, func(t *testing.T, db *sql.DB) {
		chat := newFake()
		chat.before = func(int, Group) error { time.Sleep(3 * time.Second); return nil }
		s := startDaemon(t, db, "{receiver: chat, group_wait: 2s, group_interval: 5m}", chat)
		defer s.stop()
		s.take(t, weak("p", "e1", h))
		time.Sleep(3 * time.Second)
		s.take(t, weak("q", "e2", h))
		time.Sleep(9 * time.Second)
		d, err := s.Violation(t.Context(), ViolationID(tenant, "ca-policy-disabled", "q"))
		if err != nil || len(d.Deliveries) != 1 || d.Deliveries[0].Achieved != 1 || d.Deliveries[0].Wanted != 2 {
			t.Errorf("deliveries %+v, %v", d.Deliveries, err)
		}
		a, err := s.Accounts(t.Context())
		if err != nil || time.Since(fromMicros(a[0].Oldest)).Round(time.Second) != 10*time.Second {
			t.Errorf("oldest pending of %+v is not counted from when the delivery before it began, %v", a, err)
		}
		time.Sleep(time.Hour)
		s.checkLog(t, "2s version 1", "5m5s version 2") // when each attempt began
	})
}

func TestBackoffGrowsToItsCapAndNeverEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, db *sql.DB) {
		chat := newFake()
		var down atomic.Bool
		down.Store(true)
		chat.before = func(int, Group) error {
			if down.Load() {
				return errors.New("status 503")
			}
			return nil
		}
		s := startDaemon(t, db, "receiver: chat", chat)
		defer s.stop()
		s.take(t, weak("p", "e1", h))
		time.Sleep(time.Hour)
		if n := len(s.lines()); n < 18 || n > 36 {
			t.Errorf("%d attempts in an hour, want some doublings up to every 2.5 to 5 minutes:\n%s", n, strings.Join(s.log, "\n"))
		}
		s.take(t, back("p", "e2", 2*h))
		down.Store(false)
		time.Sleep(5*time.Minute + time.Second)
		if last := s.lines()[len(s.lines())-1]; !strings.HasSuffix(last, "version 2") {
			t.Errorf("last attempt: %s", last)
		}
		synctest.Wait()
		if len(chat.posted) != 1 || len(chat.repeats) != 0 {
			t.Errorf("posted %v, repeats %v", chat.posted, chat.repeats)
		}
	})
}

func TestRetryAfterQuietsTheWholeReceiver(t *testing.T) {
	inBubble(t, func(t *testing.T, db *sql.DB) {
		chat := newFake()
		chat.before = func(n int, g Group) error {
			if n == 1 {
				return RetryAfter(90*time.Second, errors.New("status 429"))
			}
			return nil
		}
		s := startDaemon(t, db, "{receiver: chat, group_by: [subject]}", chat)
		defer s.stop()
		s.take(t, weak("p", "e1", h))
		time.Sleep(10 * time.Second)
		s.take(t, weak("q", "e2", h))
		time.Sleep(time.Hour)
		s.checkLog(t, "0s version 1: status 429 (retry after 1m30s)", "1m30s version 1", "1m30s version 1")
	})
}

func TestARefusalIsTriedAgainSeldomAndAtAChangeOrAReload(t *testing.T) {
	inBubble(t, func(t *testing.T, db *sql.DB) {
		chat := newFake()
		var broken atomic.Bool
		broken.Store(true)
		chat.before = func(n int, g Group) error {
			if broken.Load() {
				return Permanent(errors.New("no such channel"))
			}
			return nil
		}
		s := startDaemon(t, db, "receiver: chat", chat)
		defer s.stop()
		s.take(t, weak("p", "e1", h))
		time.Sleep(20 * time.Minute)
		s.take(t, weak("q", "e2", h))
		time.Sleep(20 * time.Minute)
		a, err := s.Accounts(t.Context())
		if err != nil || a[0].Failed != 4 || a[0].Pending != 2 || !a[0].Balanced() {
			t.Errorf("accounts %+v, %v", a, err)
		}
		d, err := s.Violation(t.Context(), ViolationID(tenant, "ca-policy-disabled", "p"))
		if err != nil || !d.Deliveries[0].Parked || d.Deliveries[0].Error != "no such channel" {
			t.Errorf("delivery %+v, %v", d.Deliveries, err)
		}
		broken.Store(false)
		s.d.SetReceivers(map[string]Receiver{"chat": s})
		time.Sleep(time.Hour)
		s.checkLog(t, "0s version 1: no such channel", "15m0s version 1: no such channel",
			"20m0s version 2: no such channel", "35m0s version 2: no such channel", "40m0s version 2")
	})
}

// A token that is replaced in its file, and a bot that is invited, tell nobody.
func TestWhatWasRefusedIsToldWhenTheCauseIsGone(t *testing.T) {
	inBubble(t, func(t *testing.T, db *sql.DB) {
		chat := newFake()
		chat.before = func(n int, g Group) error {
			if n == 1 {
				return Permanent(errors.New("token revoked"))
			}
			return nil
		}
		s := startDaemon(t, db, "receiver: chat", chat)
		defer s.stop()
		s.take(t, weak("p", "e1", h))
		time.Sleep(time.Hour)
		s.checkLog(t, "0s version 1: token revoked", "15m0s version 1")
		d, err := s.Violation(t.Context(), ViolationID(tenant, "ca-policy-disabled", "p"))
		if err != nil || d.Deliveries[0].Parked || d.Deliveries[0].Achieved != 1 {
			t.Errorf("delivery %+v, %v", d.Deliveries, err)
		}
	})
}

// A clock that ran ahead when an attempt failed, and is right again, leaves the
// next one far away.
func TestAClockThatIsSetBackHoldsNothingUp(t *testing.T) {
	for _, tt := range []struct {
		name     string
		failures int64
		ahead    time.Duration
		told     bool
	}{
		{"after a failure, in five minutes", 1, 5 * time.Minute, false},
		{"after a failure, in twelve hours", 1, 12 * time.Hour, true},
		{"a first one, in twelve hours", 0, 12 * time.Hour, false},
		{"a first one, in a year", 0, 365 * 24 * time.Hour, true},
	} {
		inBubble(t, func(t *testing.T, db *sql.DB) {
			s := startDaemon(t, db, "receiver: chat", newFake())
			defer s.stop()
			synctest.Wait()
			apply(t, s.Ledger, weak("p", "e1", h)) // nobody was woken
			_, err := db.Exec(`UPDATE deliveries SET due = $1, failures = $2`, micros(time.Now().Add(tt.ahead)), tt.failures)
			if err != nil {
				t.Fatal(err)
			}
			s.d.Wake()
			time.Sleep(time.Minute)
			if told := len(s.lines()) == 1; told != tt.told {
				t.Errorf("%s: told %v", tt.name, told)
			}
		})
	}
}

func TestRemovedReceiverKeepsItsPendingDeliveries(t *testing.T) {
	inBubble(t, func(t *testing.T, db *sql.DB) {
		s := startDaemon(t, db, "receiver: chat", newFake())
		defer s.stop()
		s.d.SetReceivers(nil)
		synctest.Wait()
		s.take(t, weak("p", "e1", h))
		time.Sleep(time.Hour)
		a, err := s.Accounts(t.Context())
		if err != nil || a[0].Pending != 1 || !a[0].Balanced() {
			t.Errorf("accounts %+v, %v", a, err)
		}
		s.d.SetReceivers(map[string]Receiver{"chat": s})
		time.Sleep(time.Second)
		s.checkLog(t, "1h0m0s version 1")
	})
}

func TestASlowReceiverIsCutOffAndMayHaveSent(t *testing.T) {
	inBubble(t, func(t *testing.T, db *sql.DB) {
		s := startDaemon(t, db, "receiver: chat", newFake())
		defer s.stop()
		s.d.SetReceivers(map[string]Receiver{"chat": hung})
		s.take(t, weak("p", "e1", h))
		time.Sleep(16 * time.Second)
		s.d.SetReceivers(map[string]Receiver{"chat": s})
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(s.chat.posted) != 1 || s.chat.repeats[s.chat.posted[0]] != 1 {
			t.Errorf("posted %v, marked as repeats %v", s.chat.posted, s.chat.repeats)
		}
	})
}

// hung never answers.
var hung = ReceiverFunc(func(ctx context.Context, g Group, have Receipt) (Receipt, error) {
	<-ctx.Done()
	return nil, ctx.Err()
})

// ReceiverFunc is a function as a Receiver.
type ReceiverFunc func(ctx context.Context, g Group, have Receipt) (Receipt, error)

func (f ReceiverFunc) Deliver(ctx context.Context, g Group, have Receipt) (Receipt, error) {
	return f(ctx, g, have)
}

func TestStopDeliversWhatIsDueAndThenEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, db *sql.DB) {
		s := startDaemon(t, db, "receiver: chat", newFake())
		synctest.Wait()
		apply(t, s.Ledger, weak("p", "e1", h)) // nobody was woken
		s.stop()
		s.checkLog(t, "0s version 1")
	})
	inBubble(t, func(t *testing.T, db *sql.DB) {
		s := startDaemon(t, db, "receiver: chat", newFake())
		s.d.SetReceivers(map[string]Receiver{"chat": hung})
		s.take(t, weak("p", "e1", h))
		synctest.Wait()
		began := time.Now()
		s.stop()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("stopped after %s, want 10s", took)
		}
	})
}

// Who answers must not wait for who does not: at the stop there is no later.
func TestStopDeliversWhateverAnotherReceiverWaitsFor(t *testing.T) {
	inBubble(t, func(t *testing.T, db *sql.DB) {
		s := startDaemon(t, db, "{receiver: chat, routes: [{receiver: pager, continue: true}, {receiver: chat}]}", newFake())
		s.d.SetReceivers(map[string]Receiver{"chat": s, "pager": hung})
		s.take(t, weak("p", "e1", h))
		time.Sleep(time.Second)
		apply(t, s.Ledger, weak("q", "e2", h)) // nobody was woken
		s.stop()
		s.checkLog(t, "0s version 1", "1s version 2")
	})
}

// Nor at a reload: one receiver's predecessor hangs, the others go on, and it
// takes over when that one is cut off.
func TestAReloadWaitsForNobodyElsesReceiver(t *testing.T) {
	inBubble(t, func(t *testing.T, db *sql.DB) {
		s := startDaemon(t, db, "{receiver: chat, routes: [{receiver: pager, continue: true}, {receiver: chat}]}", newFake())
		defer s.stop()
		s.d.SetReceivers(map[string]Receiver{"chat": s, "pager": hung})
		s.take(t, weak("p", "e1", h))
		time.Sleep(time.Second)
		var paged []time.Duration
		pager := ReceiverFunc(func(ctx context.Context, g Group, have Receipt) (Receipt, error) {
			paged = append(paged, time.Since(s.start).Round(time.Second))
			return have, nil
		})
		s.d.SetReceivers(map[string]Receiver{"chat": s, "pager": pager})
		s.take(t, weak("q", "e2", h))
		time.Sleep(time.Minute)
		s.checkLog(t, "0s version 1", "1s version 2")
		if len(paged) != 1 || paged[0] < 15*time.Second || paged[0] > 20*time.Second {
			t.Errorf("paged at %v, want once, soon after the hung attempt was cut off at 15s", paged)
		}
	})
}

func TestAGroupIsWorkedOnByOneAtATime(t *testing.T) {
	inBubble(t, func(t *testing.T, db *sql.DB) {
		s := startDaemon(t, db, "{receiver: chat, group_by: [subject]}", newFake())
		defer s.stop()
		busy, most := map[string]int{}, 0
		slow := ReceiverFunc(func(ctx context.Context, g Group, have Receipt) (Receipt, error) {
			s.chat.mu.Lock()
			busy[g.Key]++
			total := 0
			for _, n := range busy {
				if total += n; n > 1 {
					t.Errorf("%d attempts for one group at once", n)
				}
			}
			most = max(most, total)
			s.chat.mu.Unlock()
			time.Sleep(3 * time.Second)
			s.chat.mu.Lock()
			busy[g.Key]--
			s.chat.mu.Unlock()
			return s.chat.Deliver(ctx, g, have)
		})
		s.d.SetReceivers(map[string]Receiver{"chat": slow})
		for i := range 10 {
			s.take(t, weak(fmt.Sprint(i), fmt.Sprint("e", i), h))
			time.Sleep(time.Second)
			s.take(t, back(fmt.Sprint(i), fmt.Sprint("r", i), 2*h))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if most != 4 {
			t.Errorf("%d groups at once at most, want 4", most)
		}
		a, err := s.Accounts(t.Context())
		if err != nil || a[0].Matched != 20 || a[0].Pending != 0 || !a[0].Balanced() {
			t.Errorf("accounts %+v, %v", a, err)
		}
	})
}
