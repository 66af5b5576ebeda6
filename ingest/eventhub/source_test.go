package eventhub

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest"
	"phiwatch/ingest/localhub"
)

// logs is the config of the hub logs at addr.
func logs(h *localhub.Hub, addr string) Config {
	return Config{Hubs: []Hub{{ConnectionString: h.ConnectionString(addr, "logs")}}}
}

func TestSeveralHubsAreReadFromTheEarliestMessage(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	publish(t, h, "logs", "0", numbered(0, 5)...)
	publish(t, h, "logs", "1", numbered(100, 5)...)
	publish(t, h, "risks", "0", numbered(200, 5)...)
	db := sqlite(t)
	d := newDecider(t, db)
	s, _ := run(t, db, Config{Hubs: []Hub{
		{ConnectionString: h.ConnectionString(addr, "logs")},
		{ConnectionString: h.ConnectionString(addr, "risks")},
	}}, d.handle)
	d.wait(15)
	publish(t, h, "logs", "1", numbered(105, 5)...)
	d.wait(20)
	for p, want := range map[string][]string{"logs/0": numbered(0, 5), "logs/1": numbered(100, 10), "risks/0": numbered(200, 5)} {
		hub, id, _ := strings.Cut(p, "/")
		if diff := cmp.Diff(want, d.bodies(addr+"/"+hub, id)); diff != "" {
			t.Errorf("%s: %s", p, diff)
		}
	}
	if err := s.Ready(); err != nil {
		t.Errorf("ready: %v", err)
	}
	for _, st := range s.Hubs() {
		if !st.Connected || st.LastReceive.IsZero() || st.LastError != nil {
			t.Errorf("state %+v", st)
		}
	}
	if got, want := s.Hubs()[0].Partitions, []string{"0", "1"}; !cmp.Equal(got, want) {
		t.Errorf("partitions %v, want %v", got, want)
	}
}

func TestMessagesCarryPositionTimeOwnerAndTenant(t *testing.T) {
	at := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	h, addr := serve(t, localhub.Config{Now: func() time.Time { return at }})
	publish(t, h, "logs", "1", numbered(0, 2)...)
	db := sqlite(t)
	d := newDecider(t, db)
	conf := logs(h, addr)
	conf.Hubs[0].Tenant = "7D3C2B1A-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
	run(t, db, conf, d.handle)
	d.wait(2)
	var owner string
	if err := db.QueryRow(`SELECT owner_id FROM ownership WHERE partition = '1'`).Scan(&owner); err != nil {
		t.Fatal(err)
	}
	var got []ingest.Message
	for _, b := range d.decided() {
		if b.Owner != owner || b.ID != "1" || b.Hub != addr+"/logs" {
			t.Errorf("batch of %v owned by %q, the table says %q", b.Partition, b.Owner, owner)
		}
		got = append(got, b.Messages...)
	}
	for i, m := range got {
		if m.Sequence != int64(i) || m.Offset == "" || !m.Enqueued.Equal(at) || string(m.Body) != fmt.Sprintf(`{"n":%d}`, i) ||
			m.Tenant != "7d3c2b1a-4e5f-4a6b-8c7d-9e0f1a2b3c4d" {
			t.Errorf("message %d: %+v", i, m)
		}
	}
}

func TestStartSaysWhereAPartitionWithoutPositionBegins(t *testing.T) {
	began := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	for start, want := range map[string][]string{
		"":                     numbered(0, 4),
		"earliest":             numbered(0, 4),
		"2026-01-05T09:00:01Z": numbered(2, 2),
		"latest":               numbered(3, 1),
	} {
		t.Run("from "+start, func(t *testing.T) {
			var now atomic.Int64 // seconds after began
			h, addr := serve(t, localhub.Config{Now: func() time.Time { return began.Add(time.Duration(now.Load()) * time.Second) }})
			publish(t, h, "logs", "0", numbered(0, 2)...)
			now.Store(1)
			publish(t, h, "logs", "0", numbered(2, 1)...)
			now.Store(2)
			db := sqlite(t)
			d := newDecider(t, db)
			c := logs(h, addr)
			c.Hubs[0].Start = start
			s, _ := run(t, db, c, d.handle)
			eventually(t, "partitions are read", func() bool { return len(s.Hubs()[0].Partitions) == 2 })
			publish(t, h, "logs", "0", numbered(3, 1)...)
			d.wait(len(want))
			if diff := cmp.Diff(want, d.bodies(addr+"/logs", "0")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What arrives while the source is down must not be skipped because "latest"
// means the end anew.
func TestLatestMeansTheEndAtTheFirstStartOnly(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	publish(t, h, "logs", "0", numbered(0, 3)...)
	db := sqlite(t)
	d := newDecider(t, db)
	c := logs(h, addr)
	c.Hubs[0].Start = "latest"
	s, stop := run(t, db, c, d.handle)
	eventually(t, "partitions are read", func() bool { return len(s.Hubs()[0].Partitions) == 2 })
	stop()
	publish(t, h, "logs", "0", numbered(3, 2)...)
	publish(t, h, "logs", "1", numbered(9, 1)...)
	run(t, db, c, d.handle)
	d.wait(3)
	if diff := cmp.Diff(numbered(3, 2), d.bodies(addr+"/logs", "0")); diff != "" {
		t.Error(diff)
	}
}

func TestRestartResumesAfterTheCommittedPosition(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	db := sqlite(t)
	d := newDecider(t, db) // fails the test when a message is decided twice
	for round := range 4 {
		_, stop := run(t, db, logs(h, addr), d.handle)
		publish(t, h, "logs", "0", numbered(100*round, 100)...)
		d.wait(100*round + 50) // stop in the middle
		stop()
		var owned int
		if err := db.QueryRow(`SELECT count(*) FROM ownership WHERE owner_id <> ''`).Scan(&owned); err != nil || owned != 0 {
			t.Errorf("after the stop %d partitions are still owned (%v)", owned, err)
		}
	}
	run(t, db, logs(h, addr), d.handle)
	d.wait(400)
	if diff := cmp.Diff(numbered(0, 400)[:100], d.bodies(addr+"/logs", "0")[:100]); diff != "" {
		t.Error(diff)
	}
}

func TestAFailedBatchIsDeliveredAgainInOrderAndNotSkipped(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	publish(t, h, "logs", "0", numbered(0, 30)...)
	db := sqlite(t)
	d := newDecider(t, db)
	var failures atomic.Int32
	var first atomic.Pointer[ingest.Batch]
	d.before = func(b ingest.Batch) error {
		if failures.Load() == 0 {
			first.Store(&b)
		} else if failures.Load() < 4 {
			if diff := cmp.Diff(*first.Load(), b); diff != "" {
				t.Errorf("delivered again, but changed: %s", diff)
			}
		}
		if failures.Add(1) <= 3 {
			return errors.New("the database is away")
		}
		return nil
	}
	failLate := int32(2)
	d.after = func(ingest.Batch) error { // everything done but the commit
		if failLate--; failLate >= 0 {
			return errors.New("the commit failed")
		}
		return nil
	}
	s, _ := run(t, db, logs(h, addr), d.handle)
	d.wait(30)
	if diff := cmp.Diff(numbered(0, 30), d.bodies(addr+"/logs", "0")); diff != "" {
		t.Error(diff)
	}
	eventually(t, "no partition is stuck", func() bool { // once the source hears of the commit
		return !slices.ContainsFunc(s.Lags(), func(l Lag) bool { return l.Stuck != nil })
	})
}

func TestAStuckBatchIsVisible(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	publish(t, h, "logs", "0", numbered(0, 3)...)
	db := sqlite(t)
	d := newDecider(t, db)
	d.before = func(ingest.Batch) error { return errors.New("never") }
	s, stop := run(t, db, logs(h, addr), d.handle)
	eventually(t, "the lag says why", func() bool {
		for _, l := range s.Lags() {
			if l.ID == "0" && l.Stuck != nil && l.Events == 3 {
				return true
			}
		}
		return false
	})
	if err := s.Ready(); err == nil || !strings.Contains(err.Error(), "partition 0: batch not decided: never") {
		t.Errorf("ready says %v", err)
	}
	stop() // also ends while it is stuck
	if d.count() != 0 {
		t.Error("decided although it failed")
	}
}

func TestBodiesInOtherSectionsAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		body azeventhubs.AMQPAnnotatedMessageBody
		want string
	}{
		"several data sections": {azeventhubs.AMQPAnnotatedMessageBody{Data: [][]byte{[]byte(`{"a"`), []byte(`:1}`)}}, `{"a":1}`},
		"a string":              {azeventhubs.AMQPAnnotatedMessageBody{Value: `{"a":1}`}, `{"a":1}`},
		"bytes":                 {azeventhubs.AMQPAnnotatedMessageBody{Value: []byte(`{"a":1}`)}, `{"a":1}`},
		"a number":              {azeventhubs.AMQPAnnotatedMessageBody{Value: 7}, `7`},
		"nothing":               {azeventhubs.AMQPAnnotatedMessageBody{}, ``},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(rawBody(c.body)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestLargeAndSmallMessagesAreBatchedWithinBounds(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	large := strings.Repeat("x", 900<<10)
	for range 12 {
		publish(t, h, "logs", "0", large)
	}
	publish(t, h, "logs", "0", numbered(0, 3000)...)
	db := sqlite(t)
	d := newDecider(t, db)
	run(t, db, logs(h, addr), d.handle)
	d.wait(3012)
	for _, b := range d.decided() {
		bytes := 0
		for _, m := range b.Messages {
			bytes += len(m.Body)
		}
		if len(b.Messages) > maxBatch || bytes > maxBatchBytes {
			t.Errorf("a batch of %d messages and %d bytes", len(b.Messages), bytes)
		}
	}
}

func TestIdlePartitionsHaveALag(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	publish(t, h, "logs", "0", numbered(0, 7)...)
	db := sqlite(t)
	d := newDecider(t, db)
	hold := make(chan struct{})
	d.before = func(ingest.Batch) error { <-hold; return nil }
	s, _ := run(t, db, logs(h, addr), d.handle)
	lag := func(id string) int64 {
		for _, l := range s.Lags() {
			if l.ID == id {
				return l.Events
			}
		}
		return -2
	}
	eventually(t, "lag while held", func() bool { return lag("0") == 7 && lag("1") == 0 })
	close(hold)
	eventually(t, "lag when done", func() bool { return lag("0") == 0 && lag("1") == 0 })
}

func TestAHubThatWasMadeAnewIsReadFromItsStart(t *testing.T) {
	for name, newer := range map[string]int{"shorter than before": 2, "longer than before": 9} {
		t.Run(name, func(t *testing.T) {
			var hubs [2]*localhub.Hub
			ln := &relay{}
			addr := ln.listen(t)
			for i := range hubs {
				var err error
				if hubs[i], err = localhub.New(localhub.Config{Key: someKey, Hubs: []localhub.HubConfig{{Name: "logs", Partitions: 1}}}); err != nil {
					t.Fatal(err)
				}
			}
			publish(t, hubs[0], "logs", "0", numbered(0, 5)...)
			ln.to(hubs[0])
			db := sqlite(t)
			d := newDecider(t, db)
			_, stop := run(t, db, logs(hubs[0], addr), d.handle)
			d.wait(5)
			stop()

			hubs[1], _ = localhub.New(localhub.Config{Key: someKey, Hubs: []localhub.HubConfig{{Name: "logs", Partitions: 1}}})
			publish(t, hubs[1], "logs", "0", numbered(100, newer)...)
			ln.to(hubs[1])
			if _, err := db.Exec(`DELETE FROM decided`); err != nil { // its key holds sequence numbers
				t.Fatal(err)
			}
			run(t, db, logs(hubs[1], addr), d.handle)
			d.wait(newer)
			if diff := cmp.Diff(numbered(100, newer), d.bodies(addr+"/logs", "0")); diff != "" {
				t.Error(diff)
			}
			for _, b := range d.decided() {
				if first := string(b.Messages[0].Body) == `{"n":100}`; b.Reset != first {
					t.Errorf("a batch from %s has reset %t", b.Messages[0].Body, b.Reset)
				}
			}
		})
	}
}

// gauges is an Observer that remembers.
type gauges struct {
	mu  sync.Mutex
	lag map[string]int64
}

func (g *gauges) Lag(p ingest.Partition, events int64, _ time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lag[p.ID] = events
}

func (g *gauges) Forget(p ingest.Partition) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.lag, p.ID)
}

func (g *gauges) equal(want map[string]int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return cmp.Equal(want, g.lag)
}

var _ Observer = (*ingest.Metrics)(nil)

func TestAnObserverIsToldTheLagOfEveryPartitionRead(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	publish(t, h, "logs", "0", numbered(0, 7)...)
	db := sqlite(t)
	d := newDecider(t, db)
	s, err := newTestSource(t, db, logs(h, addr))
	if err != nil {
		t.Fatal(err)
	}
	g := &gauges{lag: map[string]int64{}}
	s.Observe(g)
	stop := begin(t, s, d.handle)
	eventually(t, "both are told", func() bool { return g.equal(map[string]int64{"0": 0, "1": 0}) })
	stop()
	if !g.equal(map[string]int64{}) {
		t.Errorf("still told after the end: %v", g.lag)
	}
}

// A position that was put off can still be stored when the source stops.
func TestPositionsCanBeStoredBeforePartitionsAreReleased(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	publish(t, h, "logs", "0", numbered(0, 7)...)
	db := sqlite(t)
	s, err := newTestSource(t, db, logs(h, addr))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var last ingest.Batch
	done := make(chan struct{})
	s.OnRelease(func(ctx context.Context) {
		mu.Lock()
		defer mu.Unlock()
		d := newDecider(t, db)
		if err := d.commit(ctx, last); err != nil {
			t.Error(err)
		}
	})
	stop := begin(t, s, func(_ context.Context, b ingest.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		if last = b; b.Messages[len(b.Messages)-1].Sequence == 6 {
			close(done)
		}
		return nil
	})
	<-done
	stop()
	if got := position0(t, db); got != 6 {
		t.Errorf("position %d, want 6", got)
	}
}

func position0(t testing.TB, db *sql.DB) int64 {
	t.Helper()
	var n int64
	if err := db.QueryRow(`SELECT sequence FROM positions WHERE partition = '0'`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
