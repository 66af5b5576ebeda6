package eventhub

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest"
	"phiwatch/ingest/localhub"
)

func fourPartitions() localhub.Config {
	return localhub.Config{Hubs: []localhub.HubConfig{{Name: "logs", Partitions: 4}}}
}

// Partitions move between two replicas under load; the decider's primary key
// breaks if both ever commit the same message.
func TestTwoSourcesShareThePartitionsAndNeverBothCommit(t *testing.T) {
	for kind, open := range databases {
		t.Run(kind, func(t *testing.T) { share(t, open(t)) })
	}
}

func share(t *testing.T, db *sql.DB) {
	h, addr := serve(t, fourPartitions())
	d := newDecider(t, db)
	sent := 0
	more := func() {
		for p := range 4 {
			publish(t, h, "logs", fmt.Sprint(p), numbered(sent, 25)...)
		}
		sent += 25
	}
	steadily := func() { // only as fast as it is decided
		if d.count() == 4*sent {
			more()
		}
	}
	partitions := func(s *Source) int { return len(s.Hubs()[0].Partitions) }

	a, _ := run(t, db, logs(h, addr), d.handle)
	more()
	eventually(t, "the first reads all", func() bool { return partitions(a) == 4 })
	b, stopB := run(t, db, logs(h, addr), d.handle)
	eventually(t, "two each", func() bool {
		steadily()
		return partitions(a) == 2 && partitions(b) == 2
	})
	if of := a.Hubs()[0].Of; of != 4 {
		t.Errorf("the hub has %d partitions to one that reads two, want 4", of)
	}
	more()
	d.wait(4 * sent)
	stopB()
	more()
	eventually(t, "the first reads all again", func() bool { return partitions(a) == 4 })
	more()
	d.wait(4 * sent)
	for p := range 4 {
		if diff := cmp.Diff(numbered(0, sent), d.bodies(addr+"/logs", fmt.Sprint(p))); diff != "" {
			t.Errorf("partition %d: %s", p, diff)
		}
	}
	owners := map[string]bool{}
	for _, batch := range d.decided() {
		owners[batch.Owner] = true
	}
	if len(owners) != 2 {
		t.Errorf("decided by %d owners, want both", len(owners))
	}
}

// A replica that hangs in the middle of a batch loses its partitions and
// cannot commit when it comes back.
func TestAReplicaThatWasAwayIsFenced(t *testing.T) {
	h, addr := serve(t, localhub.Config{Hubs: []localhub.HubConfig{{Name: "logs", Partitions: 1}}})
	db := sqlite(t)
	slow, quickly := newDecider(t, db), newDecider(t, db)
	inHand, carryOn := make(chan ingest.Batch, 1), make(chan struct{})
	var once sync.Once
	slow.before = func(b ingest.Batch) error {
		once.Do(func() { inHand <- b; <-carryOn })
		return nil
	}
	fenced := make(chan error, 100)
	run(t, db, logs(h, addr), func(ctx context.Context, b ingest.Batch) error {
		err := slow.handle(ctx, b)
		if err != nil {
			fenced <- err
		}
		return err
	})
	publish(t, h, "logs", "0", numbered(0, 5)...)
	<-inHand
	// Its ownership is somebody else's, as when it had not been renewed.
	if _, err := db.Exec(`UPDATE ownership SET owner_id = '', etag = 'expired'`); err != nil {
		t.Fatal(err)
	}
	run(t, db, logs(h, addr), quickly.handle)
	quickly.wait(5)
	close(carryOn)
	select {
	case err := <-fenced:
		t.Log("the slow one got", err)
	case <-time.After(10 * time.Second):
		t.Fatal("the slow one was not fenced")
	}
	publish(t, h, "logs", "0", numbered(5, 5)...)
	quickly.until("all ten", func() bool { return quickly.count() == 10 })
	if diff := cmp.Diff(numbered(0, 10), quickly.bodies(addr+"/logs", "0")); diff != "" {
		t.Error(diff)
	}
}

// After a crash the partitions are still owned, by nobody alive.
func TestASoleProcessTakesOverAtOnce(t *testing.T) {
	h, addr := serve(t, fourPartitions())
	db := sqlite(t)
	crashed := NewStore(db)
	for p := range 4 {
		o := own(fmt.Sprint(p), "crashed", nil)
		o.FullyQualifiedNamespace = addr
		take(t, crashed, o)
		publish(t, h, "logs", fmt.Sprint(p), numbered(0, 3)...)
	}
	d := newDecider(t, db)
	c := logs(h, addr)
	c.Sole = true
	s, err := newSource(c, db, testLog(t), newRegistry(), withExpiry(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	begin(t, s, d.handle)
	d.wait(12)
}

func TestAnExpiredOwnershipIsTakenOver(t *testing.T) {
	h, addr := serve(t, localhub.Config{Hubs: []localhub.HubConfig{{Name: "logs", Partitions: 1}}})
	db := sqlite(t)
	o := own("0", "crashed", nil)
	o.FullyQualifiedNamespace = addr
	take(t, NewStore(db), o)
	publish(t, h, "logs", "0", numbered(0, 3)...)
	d := newDecider(t, db)
	s, err := newSource(logs(h, addr), db, testLog(t), newRegistry(), withExpiry(200*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	begin(t, s, d.handle)
	d.wait(3)
}

// A partition that was lost while a batch is in hand is not claimed again
// before that batch is through: its commit would pass for the new tenure's.
func TestALostPartitionIsNotClaimedAgainWithABatchInHand(t *testing.T) {
	ended := func(string) *pump { return &pump{cancel: func() {}} }
	s := &session{pumps: map[string]*pump{}, claims: map[string]claim{}}
	db := sqlite(t)
	store := NewStore(db)
	mine := take(t, store, own("0", "a", nil))
	s.claimed(mine)
	s.pumps["0"] = ended("0")
	if got := s.claimable(mine); len(got) != 1 {
		t.Error("a renewal is refused")
	}
	theirs := take(t, store, own("0", "b", mine[0].ETag))
	s.claimed(nil)
	again := own("0", "a", theirs[0].ETag)
	if got := s.claimable([]ownership{again}); len(got) != 0 {
		t.Error("claimed again with a batch in hand")
	}
	delete(s.pumps, "0")
	if got := s.claimable([]ownership{again}); len(got) != 1 {
		t.Error("not claimed again when the batch is through")
	}
}
