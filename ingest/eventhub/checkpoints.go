package eventhub

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"phiwatch/ingest"
)

// Store is the Processor's checkpoint store over the tables ownership and
// positions of the state database. It may be used concurrently.
type Store struct {
	db   *sql.DB
	now  func() time.Time
	mu   sync.Mutex
	seen map[string]sighting // by partition key; guarded by mu
}

var _ azeventhubs.CheckpointStore = (*Store)(nil)

// sighting is when this process first saw an ownership row as it is now.
type sighting struct {
	etag string
	at   time.Time     // on this process's clock, monotonic
	age  time.Duration // of the row at that time
}

// NewStore returns a store over db, in which the migrations of package ingest are applied.
func NewStore(db *sql.DB) *Store {
	return &Store{db: db, now: time.Now, seen: map[string]sighting{}}
}

// ErrSetCheckpoint is what SetCheckpoint returns.
var ErrSetCheckpoint = errors.New("positions are advanced by the transaction that decides a batch, not by the SDK")

// SetCheckpoint refuses: a position that moves outside the transaction that
// decides the batch would lose or double records in a crash.
func (s *Store) SetCheckpoint(context.Context, azeventhubs.Checkpoint, *azeventhubs.SetCheckpointOptions) error {
	return ErrSetCheckpoint
}

// ListCheckpoints returns the stored positions: the last message decided of each partition.
func (s *Store) ListCheckpoints(ctx context.Context, namespace, hub, group string, _ *azeventhubs.ListCheckpointsOptions) ([]azeventhubs.Checkpoint, error) {
	positions, err := s.positions(ctx, ingest.HubName(namespace, hub, group))
	if err != nil {
		return nil, err
	}
	var out []azeventhubs.Checkpoint
	for _, p := range positions {
		c := azeventhubs.Checkpoint{
			FullyQualifiedNamespace: namespace, EventHubName: hub, ConsumerGroup: group,
			PartitionID: p.ID, SequenceNumber: &p.Sequence,
		}
		if p.Offset != "" {
			c.Offset = &p.Offset
		}
		out = append(out, c)
	}
	return out, nil
}

// position is a row of the table positions.
type position struct {
	ingest.Position
	enqueued time.Time // zero if unknown
}

func (s *Store) positions(ctx context.Context, hub string) (map[string]position, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT partition, sequence, hub_offset, enqueued FROM positions WHERE hub = $1`, hub)
	if err != nil {
		return nil, fmt.Errorf("list positions of %s: %w", hub, err)
	}
	defer rows.Close()
	out := map[string]position{}
	for rows.Next() {
		var p position
		var micros int64
		if err := rows.Scan(&p.ID, &p.Sequence, &p.Offset, &micros); err != nil {
			return nil, fmt.Errorf("read position of %s: %w", hub, err)
		}
		p.Hub = hub
		if micros > 0 {
			p.enqueued = time.UnixMicro(micros)
		}
		out[p.ID] = p
	}
	return out, rows.Err()
}

// ListOwnership returns who owns what, in one indexed read: what takes long
// here makes live owners look dead.
//
// For the same reason the age of a row is measured on this process's clock,
// from when it first saw the row as it is: neither a slow database nor another
// replica's wrong clock makes an owner look dead.
func (s *Store) ListOwnership(ctx context.Context, namespace, hub, group string, _ *azeventhubs.ListOwnershipOptions) ([]azeventhubs.Ownership, error) {
	asked := s.now()
	rows, err := s.db.QueryContext(ctx, `SELECT partition, owner_id, etag, last_modified FROM ownership
		WHERE namespace = $1 AND hub = $2 AND consumer_group = $3 ORDER BY partition`, namespace, hub, group)
	if err != nil {
		return nil, fmt.Errorf("list owners of %s/%s: %w", namespace, hub, err)
	}
	defer rows.Close()
	var out []azeventhubs.Ownership
	for rows.Next() {
		o := azeventhubs.Ownership{FullyQualifiedNamespace: namespace, EventHubName: hub, ConsumerGroup: group}
		var etag string
		var micros int64
		if err := rows.Scan(&o.PartitionID, &o.OwnerID, &etag, &micros); err != nil {
			return nil, fmt.Errorf("read owner of %s/%s: %w", namespace, hub, err)
		}
		o.ETag = (*azcore.ETag)(&etag)
		o.LastModifiedTime = s.now().Add(-s.age(o, etag, asked, time.UnixMicro(micros)))
		out = append(out, o)
	}
	return out, rows.Err()
}

// age returns how long the row has stood unchanged as of asked.
func (s *Store) age(o azeventhubs.Ownership, etag string, asked, modified time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := ownershipKey(o)
	first, ok := s.seen[key]
	switch {
	case !ok: // nothing to go by but the writer's clock
		first = sighting{etag: etag, at: asked, age: max(0, asked.Sub(modified))}
	case first.etag != etag:
		first = sighting{etag: etag, at: asked}
	}
	s.seen[key] = first
	return first.age + asked.Sub(first.at)
}

func ownershipKey(o azeventhubs.Ownership) string {
	return strings.Join([]string{o.FullyQualifiedNamespace, o.EventHubName, o.ConsumerGroup, o.PartitionID}, "/")
}

// ClaimOwnership takes each partition whose row is still as the caller saw it
// (its ETag), and returns those it got. All in one transaction: one disk write.
func (s *Store) ClaimOwnership(ctx context.Context, want []azeventhubs.Ownership, _ *azeventhubs.ClaimOwnershipOptions) ([]azeventhubs.Ownership, error) {
	if len(want) == 0 {
		return nil, nil
	}
	// One order for everybody, so that claims never wait for each other in a circle.
	want = slices.SortedFunc(slices.Values(want), func(a, b azeventhubs.Ownership) int {
		return strings.Compare(ownershipKey(a), ownershipKey(b))
	})
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("claim partitions: %w", err)
	}
	defer tx.Rollback()
	var got []azeventhubs.Ownership
	for _, o := range want {
		ok, err := s.claim(ctx, tx, &o)
		if err != nil {
			return nil, fmt.Errorf("claim partition %s: %w", ownershipKey(o), err)
		}
		if ok {
			got = append(got, o)
		}
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("claim partitions: %w", err)
	}
	return got, nil
}

// claim is compare-and-swap in one statement. On success o has its new ETag and time.
func (s *Store) claim(ctx context.Context, tx *sql.Tx, o *azeventhubs.Ownership) (bool, error) {
	now, etag := s.now(), rand.Text()
	key := []any{o.FullyQualifiedNamespace, o.EventHubName, o.ConsumerGroup, o.PartitionID, o.OwnerID, etag, now.UnixMicro()}
	query := `INSERT INTO ownership (namespace, hub, consumer_group, partition, owner_id, etag, last_modified)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`
	if o.ETag != nil {
		query = `UPDATE ownership SET owner_id = $5, etag = $6, last_modified = $7
			WHERE namespace = $1 AND hub = $2 AND consumer_group = $3 AND partition = $4 AND etag = $8`
		key = append(key, string(*o.ETag))
	}
	res, err := tx.ExecContext(ctx, query, key...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return false, err
	}
	o.ETag, o.LastModifiedTime = (*azcore.ETag)(&etag), now
	return true, nil
}

// release gives up whatever anybody owns of the hub: for a process that knows
// it is alone (Config.Sole).
func (s *Store) release(ctx context.Context, t target) error {
	_, err := s.db.ExecContext(ctx, `UPDATE ownership SET owner_id = '', etag = $4
		WHERE namespace = $1 AND hub = $2 AND consumer_group = $3`, t.namespace, t.hub, t.group, rand.Text())
	if err != nil {
		return fmt.Errorf("release partitions of %s: %w", t.name(), err)
	}
	return nil
}
