package eventhub

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite"

	"phiwatch/ingest"
	"phiwatch/ingest/pgtest"
)

// sqlite opens a new state database.
func sqlite(t testing.TB) *sql.DB {
	t.Helper()
	dsn := "file:" + filepath.Join(t.TempDir(), "state.db") +
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_txlock=immediate"
	return migrated(t, "sqlite", goose.DialectSQLite3, dsn)
}

func migrated(t testing.TB, driver string, dialect goose.Dialect, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	p, err := goose.NewProvider(dialect, db, ingest.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// postgres opens an empty schema.
func postgres(t testing.TB) *sql.DB {
	t.Helper()
	return migrated(t, "pgx", goose.DialectPostgres, pgtest.Schema(t))
}

var databases = map[string]func(testing.TB) *sql.DB{"sqlite": sqlite, "postgres": postgres}

// own is an ownership of partition id of the hub that the store's tests use.
func own(id, owner string, etag *azcore.ETag) azeventhubs.Ownership {
	return azeventhubs.Ownership{
		FullyQualifiedNamespace: "ns.example.net", EventHubName: "logs", ConsumerGroup: "$Default",
		PartitionID: id, OwnerID: owner, ETag: etag,
	}
}

func list(t *testing.T, s *Store) []azeventhubs.Ownership {
	t.Helper()
	got, err := s.ListOwnership(t.Context(), "ns.example.net", "logs", "$Default", nil)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func take(t *testing.T, s *Store, want ...azeventhubs.Ownership) []azeventhubs.Ownership {
	t.Helper()
	got, err := s.ClaimOwnership(t.Context(), want, nil)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// owners shows ownerships as partition=owner.
func owners(all []azeventhubs.Ownership) []string {
	var out []string
	for _, o := range all {
		out = append(out, o.PartitionID+"="+o.OwnerID)
	}
	return out
}

func TestClaimIsCompareAndSwap(t *testing.T) {
	stale := new(azcore.ETag("stale"))
	// first is the ETag that a has from claiming 0 and 1.
	for name, c := range map[string]struct {
		want func(first map[string]*azcore.ETag) []azeventhubs.Ownership
		got  []string
		then []string
	}{
		"a partition never owned": {
			func(map[string]*azcore.ETag) []azeventhubs.Ownership {
				return []azeventhubs.Ownership{own("2", "b", nil)}
			},
			[]string{"2=b"},
			[]string{"0=a", "1=a", "2=b"},
		},
		"thought free but owned": {
			func(map[string]*azcore.ETag) []azeventhubs.Ownership {
				return []azeventhubs.Ownership{own("0", "b", nil)}
			},
			nil,
			[]string{"0=a", "1=a"},
		},
		"seen as it is": {
			func(e map[string]*azcore.ETag) []azeventhubs.Ownership {
				return []azeventhubs.Ownership{own("0", "b", e["0"])}
			},
			[]string{"0=b"},
			[]string{"0=b", "1=a"},
		},
		"changed since seen": {
			func(map[string]*azcore.ETag) []azeventhubs.Ownership {
				return []azeventhubs.Ownership{own("0", "b", stale)}
			},
			nil,
			[]string{"0=a", "1=a"},
		},
		"the ETag of another partition": {
			func(e map[string]*azcore.ETag) []azeventhubs.Ownership {
				return []azeventhubs.Ownership{own("0", "b", e["1"])}
			},
			nil,
			[]string{"0=a", "1=a"},
		},
		"some of several": {
			func(e map[string]*azcore.ETag) []azeventhubs.Ownership {
				return []azeventhubs.Ownership{own("2", "b", nil), own("1", "b", e["1"]), own("0", "b", stale)}
			},
			[]string{"1=b", "2=b"},
			[]string{"0=a", "1=b", "2=b"},
		},
		"relinquished": {
			func(e map[string]*azcore.ETag) []azeventhubs.Ownership {
				return []azeventhubs.Ownership{own("0", "", e["0"]), own("1", "", e["1"])}
			},
			[]string{"0=", "1="},
			[]string{"0=", "1="},
		},
		"nothing": {func(map[string]*azcore.ETag) []azeventhubs.Ownership { return nil }, nil, []string{"0=a", "1=a"}},
	} {
		for kind, open := range databases {
			t.Run(name+"/"+kind, func(t *testing.T) {
				s := NewStore(open(t))
				first := map[string]*azcore.ETag{}
				for _, o := range take(t, s, own("0", "a", nil), own("1", "a", nil)) {
					first[o.PartitionID] = o.ETag
				}
				if diff := cmp.Diff(c.got, owners(take(t, s, c.want(first)...))); diff != "" {
					t.Error("claimed: ", diff)
				}
				if diff := cmp.Diff(c.then, owners(list(t, s))); diff != "" {
					t.Error("listed: ", diff)
				}
			})
		}
	}
}

func TestClaimRaceHasOneWinner(t *testing.T) {
	const racers, rounds = 8, 10
	for kind, open := range databases {
		t.Run(kind, func(t *testing.T) {
			db := open(t)
			var etag *azcore.ETag // nobody's at first: the race to insert
			for round := range rounds {
				var wins atomic.Int32
				var winner atomic.Pointer[azeventhubs.Ownership]
				var wg sync.WaitGroup
				for r := range racers {
					wg.Go(func() {
						got, err := NewStore(db).ClaimOwnership(t.Context(), []azeventhubs.Ownership{own("0", fmt.Sprint(r), etag)}, nil)
						if err != nil {
							t.Error(err)
						}
						for _, o := range got {
							wins.Add(1)
							winner.Store(&o)
						}
					})
				}
				wg.Wait()
				if wins.Load() != 1 {
					t.Fatalf("round %d: %d winners", round, wins.Load())
				}
				won := winner.Load()
				stored := list(t, NewStore(db))
				if len(stored) != 1 || stored[0].OwnerID != won.OwnerID || *stored[0].ETag != *won.ETag {
					t.Fatalf("round %d: stored %v, winner %v", round, stored, won)
				}
				etag = won.ETag
			}
		})
	}
}

func TestClaimsInOppositeOrderDoNotDeadlock(t *testing.T) {
	for kind, open := range databases {
		t.Run(kind, func(t *testing.T) {
			db := open(t)
			ids := []string{"0", "1", "2", "3", "4", "5", "6", "7"}
			var wg sync.WaitGroup
			for r := range 4 {
				wg.Go(func() {
					s := NewStore(db)
					for range 10 {
						var want []azeventhubs.Ownership
						seen, err := s.ListOwnership(t.Context(), "ns.example.net", "logs", "$Default", nil)
						if err != nil {
							t.Error(err)
						}
						for _, id := range ids {
							o := own(id, fmt.Sprint(r), nil)
							if i := slices.IndexFunc(seen, func(o azeventhubs.Ownership) bool { return o.PartitionID == id }); i >= 0 {
								o.ETag = seen[i].ETag
							}
							want = append(want, o)
						}
						if r%2 == 1 {
							slices.Reverse(want)
						}
						if _, err := s.ClaimOwnership(t.Context(), want, nil); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			if n := len(list(t, NewStore(db))); n != len(ids) {
				t.Errorf("%d ownerships, want %d", n, len(ids))
			}
		})
	}
}

func TestOwnershipsOfOtherHubsAndGroupsAreApart(t *testing.T) {
	s := NewStore(sqlite(t))
	other := own("0", "b", nil)
	other.ConsumerGroup = "second"
	third := own("0", "c", nil)
	third.EventHubName = "risks"
	if got := owners(take(t, s, own("0", "a", nil), other, third)); len(got) != 3 {
		t.Fatalf("claimed %v", got)
	}
	if diff := cmp.Diff([]string{"0=a"}, owners(list(t, s))); diff != "" {
		t.Error(diff)
	}
	if err := s.release(t.Context(), target{namespace: "ns.example.net", hub: "logs", group: "$Default"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0="}, owners(list(t, s))); diff != "" {
		t.Error(diff)
	}
}

func TestAgeIsMeasuredOnTheReadersClock(t *testing.T) {
	db := sqlite(t)
	now := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	clock := func(offset *time.Duration) func() time.Time {
		return func() time.Time { return now.Add(*offset) }
	}
	wrong := -10 * time.Minute // the writer's clock is late
	var zero time.Duration
	writer, reader := NewStore(db), NewStore(db)
	writer.now, reader.now = clock(&wrong), clock(&zero)
	renew := func() {
		seen := list(t, writer)
		if len(take(t, writer, own("0", "a", seen[0].ETag))) != 1 {
			t.Fatal("not renewed")
		}
	}
	age := func() time.Duration { return now.Sub(list(t, reader)[0].LastModifiedTime) }

	take(t, writer, own("0", "a", nil))
	if got := age(); got != 10*time.Minute {
		t.Errorf("at first sight %v: there is nothing but the writer's clock", got)
	}
	now = now.Add(5 * time.Second)
	renew()
	if got := age(); got != 0 {
		t.Errorf("just renewed: %v", got)
	}
	now = now.Add(7 * time.Second)
	if got := age(); got != 7*time.Second {
		t.Errorf("not renewed for 7 s: %v", got)
	}
	wrong = 10 * time.Minute // early: must not look alive for ever
	renew()
	age()
	now = now.Add(40 * time.Second)
	if got := age(); got != 40*time.Second {
		t.Errorf("not renewed for 40 s: %v", got)
	}
}

func TestCheckpointsAreTheStoredPositions(t *testing.T) {
	db := sqlite(t)
	for _, p := range []struct {
		hub, id string
		seq     int64
		offset  string
	}{
		{"ns.example.net/logs", "0", 41, "8712"},
		{"ns.example.net/logs", "1", 7, ""},
		{"ns.example.net/logs/second", "0", 3, "1"},
		{"ns.example.net/risks", "0", 9, "2"},
	} {
		if _, err := db.Exec(`INSERT INTO positions VALUES ($1, $2, $3, $4, 0, 0)`, p.hub, p.id, p.seq, p.offset); err != nil {
			t.Fatal(err)
		}
	}
	got, err := NewStore(db).ListCheckpoints(t.Context(), "ns.example.net", "logs", "$Default", nil)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(got, func(a, b azeventhubs.Checkpoint) int { return strings.Compare(a.PartitionID, b.PartitionID) })
	at := func(id string, seq int64, offset *string) azeventhubs.Checkpoint {
		return azeventhubs.Checkpoint{
			FullyQualifiedNamespace: "ns.example.net", EventHubName: "logs", ConsumerGroup: "$Default",
			PartitionID: id, SequenceNumber: &seq, Offset: offset,
		}
	}
	if diff := cmp.Diff([]azeventhubs.Checkpoint{at("0", 41, new("8712")), at("1", 7, nil)}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSetCheckpointIsRefused(t *testing.T) {
	err := NewStore(nil).SetCheckpoint(context.Background(), azeventhubs.Checkpoint{}, nil)
	if !errors.Is(err, ErrSetCheckpoint) {
		t.Error(err)
	}
}

func TestMigrationsHaveTheTablesTheStoreUses(t *testing.T) {
	if names, err := fs.Glob(ingest.Migrations(), "*.sql"); err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
}
