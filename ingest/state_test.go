package ingest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite"

	"phiwatch/ingest/pgtest"
)

// onEach runs a test with an empty state database of each kind: SQLite always,
// PostgreSQL where PHIWATCH_TEST_POSTGRES names a server.
func onEach(t *testing.T, test func(*testing.T, *sql.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, migrated(t, "sqlite", goose.DialectSQLite3, "file:"+filepath.Join(t.TempDir(), "state.db")+
			"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_txlock=immediate"))
	})
	t.Run("postgres", func(t *testing.T) {
		test(t, migrated(t, "pgx", goose.DialectPostgres, pgtest.Schema(t)))
	})
}

func migrated(t testing.TB, driver string, dialect goose.Dialect, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	p, err := goose.NewProvider(dialect, db, Migrations())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// within runs f in a transaction, which is rolled back if f fails.
func within(t testing.TB, db *sql.DB, f func(tx *sql.Tx) error) error {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := f(tx); err != nil {
		tx.Rollback()
		return err
	}
	return tx.Commit()
}

var somePartition = Partition{Hub: HubName("ns.example.net", "audit", ""), ID: "3"}

// upTo is a batch that ends at a sequence number.
func upTo(owner string, sequence int64) Batch {
	b := Batch{Partition: somePartition, Owner: owner}
	for n := sequence - 2; n <= sequence; n++ {
		b.Messages = append(b.Messages, Message{
			Position: Position{Partition: somePartition, Sequence: n, Offset: fmt.Sprint("o", n)},
			Enqueued: time.Unix(1_770_000_000+n, 0),
		})
	}
	return b
}

func own(t testing.TB, db *sql.DB, owner string) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), `INSERT INTO ownership (namespace, hub, consumer_group, partition, owner_id, etag, last_modified)
		VALUES ('ns.example.net', 'audit', '$Default', '3', $1, 'e', 0)
		ON CONFLICT (namespace, hub, consumer_group, partition) DO UPDATE SET owner_id = excluded.owner_id`, owner)
	if err != nil {
		t.Error(err)
	}
}

func TestPositionsAdvanceOnly(t *testing.T) { onEach(t, testPositionsAdvanceOnly) }

func testPositionsAdvanceOnly(t *testing.T, db *sql.DB) {
	own(t, db, "me")
	var p Positions
	if _, found, err := p.Load(t.Context(), db, somePartition); err != nil || found {
		t.Fatalf("empty: found %t, %v", found, err)
	}
	for _, step := range []struct{ batch, want int64 }{{5, 5}, {9, 9}, {7, 9}, {9, 9}, {12, 12}} {
		if err := within(t, db, func(tx *sql.Tx) error { return p.Advance(t.Context(), tx, upTo("me", step.batch)) }); err != nil {
			t.Fatal(err)
		}
		got, found, err := p.Load(t.Context(), db, somePartition)
		if err != nil || !found || got.Sequence != step.want || got.Offset != fmt.Sprint("o", step.want) {
			t.Errorf("after batch up to %d: %+v, %t, %v, want %d", step.batch, got, found, err, step.want)
		}
		if want := time.Unix(1_770_000_000+step.want, 0); !got.Enqueued.Equal(want) {
			t.Errorf("enqueued %s, want %s", got.Enqueued, want)
		}
	}
	all, err := p.All(t.Context(), db)
	if err != nil || len(all) != 1 || all[0].Partition != somePartition || all[0].Sequence != 12 || time.Since(all[0].Advanced) > time.Minute {
		t.Errorf("All: %+v, %v", all, err)
	}
}

func TestOnlyTheOwnerAdvances(t *testing.T) { onEach(t, testOnlyTheOwnerAdvances) }

func testOnlyTheOwnerAdvances(t *testing.T, db *sql.DB) {
	var p Positions
	advance := func(owner string, sequence int64) error {
		return within(t, db, func(tx *sql.Tx) error { return p.Advance(t.Context(), tx, upTo(owner, sequence)) })
	}
	if err := advance("me", 5); !errors.Is(err, ErrFenced) {
		t.Errorf("nobody owns: %v", err)
	}
	own(t, db, "me")
	if err := advance("me", 6); err != nil {
		t.Errorf("owner: %v", err)
	}
	own(t, db, "other")
	if err := advance("me", 7); !errors.Is(err, ErrFenced) {
		t.Errorf("after the other's claim: %v", err)
	}
	own(t, db, "") // relinquished
	if err := advance("other", 8); !errors.Is(err, ErrFenced) {
		t.Errorf("relinquished: %v", err)
	}
	if got, _, _ := p.Load(t.Context(), db, somePartition); got.Sequence != 6 {
		t.Errorf("position %d, want 6", got.Sequence)
	}
	if err := advance("", 9); err != nil {
		t.Errorf("without owner: %v", err)
	}
}

// A claim waits for the old owner's transaction, so that what the new owner
// reads is the last word.
func TestClaimsWaitForTheOldOwnersTransaction(t *testing.T) { onEach(t, testClaimsWait) }

func testClaimsWait(t *testing.T, db *sql.DB) {
	var p Positions
	own(t, db, "me")
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if err := p.Advance(t.Context(), tx, upTo("me", 6)); err != nil {
		t.Fatal(err)
	}
	seen := make(chan int64)
	go func() {
		own(t, db, "other")
		at, _, err := p.Load(t.Context(), db, somePartition)
		if err != nil {
			t.Error(err)
		}
		seen <- at.Sequence
	}()
	select {
	case at := <-seen:
		t.Fatalf("claimed inside the transaction, at position %d", at)
	case <-time.After(50 * time.Millisecond): // no more can be waited for: nothing happens
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if at := <-seen; at != 6 {
		t.Errorf("the new owner begins at %d, want 6", at)
	}
}

func TestHubNamesComeApart(t *testing.T) {
	for _, want := range [][3]string{{"ns.example.net", "audit", "$Default"}, {"ns.example.net", "audit", "phiwatch"}} {
		ns, hub, group := splitHub(HubName(want[0], want[1], want[2]))
		if got := [3]string{ns, hub, group}; got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	if a, b := HubName("n", "h", ""), HubName("n", "h", DefaultGroup); a != b || a != "n/h" {
		t.Errorf("default group: %q and %q", a, b)
	}
}

func TestAfterLeavesOutWhatIsDecided(t *testing.T) {
	for _, tt := range []struct {
		after int64
		want  []int64
	}{{2, []int64{3, 4, 5}}, {3, []int64{4, 5}}, {5, nil}, {9, nil}} {
		var got []int64
		for _, m := range upTo("me", 5).After(tt.after).Messages {
			got = append(got, m.Sequence)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("after %d: %s", tt.after, diff)
		}
	}
}

func bad(sequence int64, index, size int) Quarantined {
	return Quarantined{
		Position: Position{Partition: somePartition, Sequence: sequence, Offset: "o"}, Index: index,
		Reason: NotJSON, Detail: "why", Bytes: make([]byte, size),
	}
}

// held checks the quarantine against its running total and returns what it
// holds, oldest first.
func held(t testing.TB, q *Quarantine, db *sql.DB) (sequences []int64) {
	t.Helper()
	list, err := q.List(t.Context(), db, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	for i := range list {
		k := list[len(list)-1-i]
		sequences = append(sequences, k.Position.Sequence)
		size += int64(len(k.Bytes))
	}
	rows, bytes, err := q.Total(t.Context(), db)
	if err != nil || rows != int64(len(list)) || bytes != size {
		t.Errorf("total is %d records of %d bytes (%v), there are %d of %d", rows, bytes, err, len(list), size)
	}
	return sequences
}

func TestQuarantineIsBounded(t *testing.T) { onEach(t, testQuarantineIsBounded) }

func testQuarantineIsBounded(t *testing.T, db *sql.DB) {
	evicted := map[Eviction]int{}
	now := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	q := NewQuarantine(time.Hour, 100)
	q.now = func() time.Time { return now }
	q.evicted = func(cause Eviction, n int) { evicted[cause] += n }
	steps := []struct {
		name    string
		later   time.Duration
		add     []Quarantined
		want    []int64
		evicted map[Eviction]int
	}{
		{"room", 0, []Quarantined{bad(1, 0, 40), bad(2, 0, 40)}, []int64{1, 2}, map[Eviction]int{}},
		{"delivered again", time.Minute, []Quarantined{bad(1, 0, 40)}, []int64{2, 1}, map[Eviction]int{}},
		{"full", time.Minute, []Quarantined{bad(3, 0, 30)}, []int64{1, 3}, map[Eviction]int{EvictedSize: 1}},
		{"nothing", time.Minute, nil, []int64{1, 3}, map[Eviction]int{EvictedSize: 1}},
		{"too old", 58*time.Minute + time.Second, []Quarantined{bad(4, -1, 0)}, []int64{3, 4}, map[Eviction]int{EvictedSize: 1, EvictedAge: 1}},
		{"larger than all", time.Second, []Quarantined{bad(5, 0, 101)}, nil, map[Eviction]int{EvictedSize: 4, EvictedAge: 1}},
	}
	for _, step := range steps {
		now = now.Add(step.later)
		if err := within(t, db, func(tx *sql.Tx) error { return q.Add(t.Context(), tx, step.add) }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, held(t, q, db)); diff != "" {
			t.Errorf("%s: -want +got\n%s", step.name, diff)
		}
		if diff := cmp.Diff(step.evicted, evicted); diff != "" {
			t.Errorf("%s: evicted -want +got\n%s", step.name, diff)
		}
	}
}

func TestQuarantineGivesUpManyAtOnce(t *testing.T) { onEach(t, testQuarantineGivesUpManyAtOnce) }

func testQuarantineGivesUpManyAtOnce(t *testing.T, db *sql.DB) {
	q := NewQuarantine(time.Hour, 1<<20)
	now := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	q.now = func() time.Time { return now }
	var many []Quarantined
	for i := range 600 {
		many = append(many, bad(1, i, 1))
	}
	if err := within(t, db, func(tx *sql.Tx) error { return q.Add(t.Context(), tx, many) }); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Hour)
	if err := within(t, db, func(tx *sql.Tx) error { return q.Expire(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
	if left := held(t, q, db); len(left) != 0 {
		t.Errorf("%d are left", len(left))
	}
}

func TestQuarantineKeepsWhatAPersonNeeds(t *testing.T) {
	onEach(t, testQuarantineKeepsWhatAPersonNeeds)
}

func testQuarantineKeepsWhatAPersonNeeds(t *testing.T, db *sql.DB) {
	q := NewQuarantine(0, 0)
	want := Quarantined{Position: Position{Partition: somePartition, Sequence: 7, Offset: "o7"}, Index: 2, Reason: Truncated, Detail: "truncated at offset 5", Bytes: []byte{'{', 0, 0xff}}
	ctx := context.WithoutCancel(t.Context())
	if err := within(t, db, func(tx *sql.Tx) error { return q.Add(ctx, tx, []Quarantined{want}) }); err != nil {
		t.Fatal(err)
	}
	got, err := q.List(ctx, db, 10)
	if err != nil || len(got) != 1 {
		t.Fatalf("%d records, %v", len(got), err)
	}
	if diff := cmp.Diff(want, got[0].Quarantined); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if age := time.Since(got[0].Added); age < 0 || age > time.Minute {
		t.Errorf("added %s ago", age)
	}
}
