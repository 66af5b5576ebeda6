package alerting

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// samples are the metrics at zero but for what a test wants.
func samples(t *testing.T, reg prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetValue())
			}
			value := m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			out[strings.TrimPrefix(f.GetName(), "phiwatch_")+" "+strings.Join(labels, " ")] = value
		}
	}
	return out
}

func TestMetricsExistAtZeroAndAreRightAfterARestart(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		w := newWorld(t, db)
		boot := func() (*Ledger, *prometheus.Registry, *worker) {
			conn, reg := w.db.open(t), prometheus.NewRegistry()
			l, err := NewLedger(conn, Options{
				Route: chatRoute(t), Now: w.clock.now, Safeguards: []string{"CA", "TLS"}, Entries: []string{"ca-policy-disabled"},
			}, testLog(t), reg)
			if err != nil {
				t.Fatal(err)
			}
			d, err := NewDispatcher(conn, map[string]Receiver{"chat": w.chat}, DispatchOptions{Now: w.clock.now}, testLog(t), reg)
			if err != nil {
				t.Fatal(err)
			}
			workers, _ := d.workers()
			return l, reg, workers[0]
		}
		check := func(reg prometheus.Gatherer, want map[string]float64) {
			t.Helper()
			got := samples(t, reg)
			for name := range got {
				if strings.HasPrefix(name, "own_delay") {
					continue // not in the database
				}
				if got[name] != want[name] {
					t.Errorf("%s = %v, want %v", name, got[name], want[name])
				}
			}
			for name := range want {
				if _, ok := got[name]; !ok {
					t.Errorf("%s is missing", name)
				}
			}
		}
		l, reg, _ := boot()
		check(reg, map[string]float64{"violations_open TLS critical": 0, "violations_opened_total ca-policy-disabled": 0,
			"findings_late_total ca-policy-disabled": 0, "deliveries_total delivered chat": 0,
			"deliveries_pending chat": 0, "deliveries_oldest_pending_seconds chat": 0})
		if n := samples(t, reg); n["own_delay_seconds chat"] != 0 || len(n) != 20 {
			t.Errorf("series at the start: %v", n)
		}
		apply(t, l, weak("p", "e1", h), weak("q", "e2", h), weak("r", "e3", h), back("r", "e4", 2*h))
		w.clock.Time = w.clock.Add(h)
		want := map[string]float64{"violations_open CA high": 2, "violations_opened_total ca-policy-disabled": 3,
			"deliveries_pending chat": 3, "deliveries_oldest_pending_seconds chat": 3600}
		check(reg, want)
		_, reg, worker := boot()
		check(reg, want)

		w.chat.before = func(int, Group) error { return errors.New("status 500") }
		worker.drain(t.Context())
		w.chat.before = nil
		w.clock.Time = w.clock.Add(h)
		worker.drain(t.Context())
		want = map[string]float64{"violations_open CA high": 2, "violations_opened_total ca-policy-disabled": 3,
			"deliveries_total retried chat": 1, "deliveries_total delivered chat": 1, "deliveries_total merged chat": 2}
		check(reg, want)
		if n := samples(t, reg)["own_delay_seconds chat"]; n != 1 {
			t.Errorf("%v delays measured, want 1", n)
		}
		if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
			t.Errorf("lint: %v, %v", problems, err)
		}
		_, reg, _ = boot()
		check(reg, want)
	})
}

func TestOwnDelayIsOfTheChangesThatWereOwed(t *testing.T) {
	w := newWorld(t, sqlite(t))
	conn, reg := w.db.open(t), prometheus.NewRegistry()
	l := newLedger(t, conn, Options{Route: chatRoute(t), Now: w.clock.now})
	d, err := NewDispatcher(conn, map[string]Receiver{"chat": w.chat}, DispatchOptions{Now: w.clock.now}, testLog(t), reg)
	if err != nil {
		t.Fatal(err)
	}
	workers, _ := d.workers()
	deliver := func(at time.Duration) {
		w.clock.Time = day.Add(at)
		workers[0].drain(t.Context())
	}
	w.clock.Time = day.Add(h)
	apply(t, l, weak("p", "e1", h)) // accepted by the hub a minute later
	apply(t, l, weak("q", "e2", h+time.Minute))
	w.chat.before = func(int, Group) error { return errors.New("status 500") }
	deliver(h + 2*time.Minute)
	w.chat.before = nil
	deliver(h + 5*time.Minute) // four minutes for the first
	apply(t, l, back("p", "e3", 3*h))
	deliver(3*h + 3*time.Minute) // two minutes
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := families[0].Metric[0].GetHistogram()
	if got.GetSampleCount() != 2 || got.GetSampleSum() != 360 {
		t.Errorf("%d delays of %v s in all, want 2 of 360", got.GetSampleCount(), got.GetSampleSum())
	}
}
