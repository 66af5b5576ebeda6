package eventhub

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"phiwatch/ingest"
	"phiwatch/ingest/localhub"
)

func TestNothingIsLostOrDoubledWhenConnectionsBreak(t *testing.T) {
	for name, hurt := range map[string]func(*localhub.Faults){
		"cut between deliveries": func(f *localhub.Faults) { f.Cut() },
		"cut in a delivery run":  func(f *localhub.Faults) { f.CutAfter(7) },
		"server busy":            func(f *localhub.Faults) { f.Detach("logs", "0", localhub.ServerBusy) },
		"busy at the next attach too": func(f *localhub.Faults) {
			f.RefuseAttaches(2, localhub.ServerBusy)
			f.Detach("logs", "0", localhub.ServerBusy)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, addr := serve(t, localhub.Config{})
			db := sqlite(t)
			d := newDecider(t, db)
			s, _ := run(t, db, logs(h, addr), d.handle)
			for round := range 5 {
				publish(t, h, "logs", "0", numbered(20*round, 10)...)
				hurt(h.Faults())
				publish(t, h, "logs", "0", numbered(20*round+10, 10)...)
				d.wait(20 * (round + 1))
			}
			if diff := cmp.Diff(numbered(0, 100), d.bodies(addr+"/logs", "0")); diff != "" {
				t.Error(diff)
			}
			eventually(t, "connected again", func() bool { return s.Ready() == nil })
		})
	}
}

func TestAHubThatIsAwayIsTriedUntilItIsBack(t *testing.T) {
	r := &relay{}
	addr := r.listen(t) // nobody behind it yet
	h, err := localhub.New(localhub.Config{Hubs: []localhub.HubConfig{{Name: "logs", Partitions: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, h, "logs", "0", numbered(0, 5)...)
	db := sqlite(t)
	d := newDecider(t, db)
	s, err := newTestSource(t, db, logs(h, addr))
	if err != nil {
		t.Fatal(err)
	}
	s.hubs[0].retries = fastRetries
	begin(t, s, d.handle)
	eventually(t, "the error is known", func() bool {
		e := s.Hubs()[0].LastError
		return e != nil && e.Class == ClassConnection && strings.Contains(e.Error(), "check that port 5671 of the namespace can be reached")
	})
	if err := s.Ready(); err == nil {
		t.Error("ready without a hub")
	}
	eventually(t, "built anew", func() bool {
		return testutil.ToFloat64(s.hubs[0].metrics.rebuilds.WithLabelValues(addr+"/logs")) >= 2
	})
	r.to(h)
	d.wait(5)
	r.to(nil) // away in the middle
	eventually(t, "not ready", func() bool { return s.Ready() != nil })
	publish(t, h, "logs", "0", numbered(5, 5)...)
	r.to(h)
	d.wait(10)
	if diff := cmp.Diff(numbered(0, 10), d.bodies(addr+"/logs", "0")); diff != "" {
		t.Error(diff)
	}
}

func TestAWrongKeyIsSaidWithARemedy(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	wrong, err := localhub.New(localhub.Config{Hubs: []localhub.HubConfig{{Name: "logs"}}}) // another key
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PHIWATCH_TEST_HUB", wrong.ConnectionString(addr, "logs"))
	db := sqlite(t)
	d := newDecider(t, db)
	s, _ := run(t, db, Config{Hubs: []Hub{{ConnectionStringEnv: "PHIWATCH_TEST_HUB"}}}, d.handle)
	eventually(t, "the error is known", func() bool { return s.Hubs()[0].LastError != nil })
	e := s.Hubs()[0].LastError
	want := "check the key in connection_string_env PHIWATCH_TEST_HUB: it must be a current key of a policy with the Listen claim on logs"
	if e.Class != ClassAuth || e.Remedy != want {
		t.Errorf("class %s, remedy %q (%v)", e.Class, e.Remedy, e)
	}
	if got := fmt.Sprint(s.Ready()); !strings.Contains(got, want) {
		t.Errorf("ready says %q", got)
	}
	// A rotated key needs no restart.
	publish(t, h, "logs", "0", numbered(0, 1)...)
	t.Setenv("PHIWATCH_TEST_HUB", h.ConnectionString(addr, "logs"))
	d.wait(1)
	eventually(t, "ready", func() bool { return s.Ready() == nil })
}

func TestWhatDoesNotExistIsSaidWithARemedy(t *testing.T) {
	for name, c := range map[string]struct{ hub, group string }{
		"hub":            {"nothing", ""},
		"consumer group": {"logs", "nobody"}, // the SDK's Processor keeps this one to itself
	} {
		t.Run(name, func(t *testing.T) {
			h, addr := serve(t, localhub.Config{})
			db := sqlite(t)
			d := newDecider(t, db)
			s, _ := run(t, db, Config{Hubs: []Hub{{ConnectionString: h.ConnectionString(addr, c.hub), ConsumerGroup: c.group}}}, d.handle)
			eventually(t, "the error is known", func() bool { return s.Hubs()[0].LastError != nil })
			if e := s.Hubs()[0].LastError; e.Class != ClassNotFound || !strings.HasPrefix(e.Remedy, "check that namespace "+addr+" has the hub "+c.hub) {
				t.Errorf("class %s, remedy %q (%v)", e.Class, e.Remedy, e)
			}
			eventually(t, "not ready", func() bool { return s.Ready() != nil })
		})
	}
}

func TestARefusedTokenIsTriedAgain(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	h.Faults().RefuseTokens(3)
	publish(t, h, "logs", "0", numbered(0, 3)...)
	db := sqlite(t)
	d := newDecider(t, db)
	run(t, db, logs(h, addr), d.handle)
	d.wait(3)
}

// One hub in trouble does not stop another.
func TestOneFailingHubLeavesTheOthersAlone(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	publish(t, h, "logs", "0", numbered(0, 3)...)
	db := sqlite(t)
	d := newDecider(t, db)
	s, _ := run(t, db, Config{Hubs: []Hub{
		{ConnectionString: h.ConnectionString(addr, "nothing")},
		{ConnectionString: h.ConnectionString(addr, "logs")},
	}}, d.handle)
	d.wait(3)
	eventually(t, "one is ready", func() bool { st := s.Hubs(); return !st[0].Connected && st[1].Connected })
}

// The batch in hand at shutdown is decided, not done again at the next start.
func TestStopLetsTheBatchInHandFinish(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	publish(t, h, "logs", "0", numbered(0, 1)...)
	db := sqlite(t)
	d := newDecider(t, db)
	inHand, carryOn := make(chan struct{}), make(chan struct{})
	d.before = func(ingest.Batch) error { close(inHand); <-carryOn; return nil }
	_, stop := run(t, db, logs(h, addr), d.handle)
	<-inHand
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	select {
	case <-stopped:
		t.Fatal("stopped with a batch in hand")
	case <-time.After(50 * time.Millisecond): // nothing to wait for: stop must not have ended
	}
	close(carryOn)
	<-stopped
	if d.count() != 1 {
		t.Error("the batch in hand was not decided")
	}
}

func TestAFencedPartitionIsGivenUpAndReadAgainFromThePosition(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	publish(t, h, "logs", "0", numbered(0, 10)...)
	db := sqlite(t)
	d := newDecider(t, db)
	var fenced atomic.Int32
	d.before = func(ingest.Batch) error {
		if fenced.Add(1) <= 2 {
			return fmt.Errorf("advance: %w", ingest.ErrFenced)
		}
		return nil
	}
	run(t, db, logs(h, addr), d.handle)
	d.wait(10)
	if diff := cmp.Diff(numbered(0, 10), d.bodies(addr+"/logs", "0")); diff != "" {
		t.Error(diff)
	}
}

func TestADatabaseInTroubleRebuildsTheHubNotTheProcess(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	db := sqlite(t)
	d := newDecider(t, db)
	s, _ := run(t, db, logs(h, addr), d.handle)
	publish(t, h, "logs", "0", numbered(0, 3)...)
	d.wait(3)
	if _, err := db.Exec(`ALTER TABLE ownership RENAME TO gone`); err != nil {
		t.Fatal(err)
	}
	eventually(t, "not ready", func() bool { return s.Ready() != nil })
	if e := s.Hubs()[0].LastError; e == nil || e.Class != ClassOther {
		t.Errorf("state says %v", e)
	}
	if _, err := db.Exec(`ALTER TABLE gone RENAME TO ownership`); err != nil {
		t.Fatal(err)
	}
	publish(t, h, "logs", "0", numbered(3, 3)...)
	d.wait(6)
	eventually(t, "ready", func() bool { return s.Ready() == nil })
}

func TestPartitionsAddedToAHubAreReadWithoutARestart(t *testing.T) {
	r := &relay{}
	addr := r.listen(t)
	sized := func(partitions int) *localhub.Hub {
		h, err := localhub.New(localhub.Config{Key: someKey, Hubs: []localhub.HubConfig{{Name: "logs", Partitions: partitions}}})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	before, after := sized(1), sized(3)
	r.to(before)
	db := sqlite(t)
	d := newDecider(t, db)
	s, _ := run(t, db, logs(before, addr), d.handle)
	eventually(t, "one partition", func() bool { return len(s.Hubs()[0].Partitions) == 1 && s.Hubs()[0].Of == 1 })
	publish(t, after, "logs", "2", numbered(0, 3)...)
	r.to(after)
	d.wait(3)
	if diff := cmp.Diff(numbered(0, 3), d.bodies(addr+"/logs", "2")); diff != "" {
		t.Error(diff)
	}
	if of := s.Hubs()[0].Of; of != 3 {
		t.Errorf("the hub has %d partitions since, want 3", of)
	}
}
