package ingest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ErrFenced says that another owner decides the partition now: what this
// process has not committed of it is void.
var ErrFenced = errors.New("partition belongs to another owner")

// Querier is what *sql.DB and *sql.Tx have in common for reading.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Stored is a position as the database has it.
type Stored struct {
	Position
	Enqueued time.Time // of the message at the position; zero if unknown
	Advanced time.Time // when the position was last written
}

// Positions keeps, for each partition, up to where everything is decided. The
// zero value is ready; it may be used concurrently.
type Positions struct{}

// Advance moves the position of the batch's partition to its last message, in
// the transaction that stores what follows from the batch. A batch that is not
// beyond the stored position leaves it as it is.
//
// A batch with an Owner advances only as long as the ownership table names it,
// else the error is ErrFenced and the transaction must be rolled back. The row
// stays locked until the transaction ends, so that a new owner, who reads the
// position after its claim, sees this one.
func (Positions) Advance(ctx context.Context, tx *sql.Tx, b Batch) error {
	if len(b.Messages) == 0 {
		return nil
	}
	if b.Owner != "" {
		if err := fence(ctx, tx, b); err != nil {
			return err
		}
	}
	last := b.Messages[len(b.Messages)-1]
	_, err := tx.ExecContext(ctx, `INSERT INTO positions (hub, partition, sequence, hub_offset, enqueued, advanced)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (hub, partition) DO UPDATE SET sequence = excluded.sequence, hub_offset = excluded.hub_offset,
			enqueued = excluded.enqueued, advanced = excluded.advanced
		WHERE positions.sequence < excluded.sequence`,
		b.Hub, b.ID, last.Sequence, last.Offset, micros(last.Enqueued), time.Now().UnixMicro())
	if err != nil {
		return fmt.Errorf("advance position of %s/%s: %w", b.Hub, b.ID, err)
	}
	return nil
}

// fence locks the row that names the batch's owner.
func fence(ctx context.Context, tx *sql.Tx, b Batch) error {
	namespace, hub, group := splitHub(b.Hub)
	res, err := tx.ExecContext(ctx, `UPDATE ownership SET owner_id = owner_id
		WHERE namespace = $1 AND hub = $2 AND consumer_group = $3 AND partition = $4 AND owner_id = $5`,
		namespace, hub, group, b.ID, b.Owner)
	if err != nil {
		return fmt.Errorf("lock ownership of %s/%s: %w", b.Hub, b.ID, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("lock ownership of %s/%s: %w", b.Hub, b.ID, err)
	}
	if n == 0 {
		return ErrFenced
	}
	return nil
}

// Load returns the position of a partition, false if none is stored.
func (Positions) Load(ctx context.Context, q Querier, p Partition) (Stored, bool, error) {
	s := Stored{Position: Position{Partition: p}}
	var enqueued, advanced int64
	err := q.QueryRowContext(ctx, `SELECT sequence, hub_offset, enqueued, advanced FROM positions
		WHERE hub = $1 AND partition = $2`, p.Hub, p.ID).Scan(&s.Sequence, &s.Offset, &enqueued, &advanced)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Stored{}, false, nil
	case err != nil:
		return Stored{}, false, fmt.Errorf("load position of %s/%s: %w", p.Hub, p.ID, err)
	}
	s.Enqueued, s.Advanced = fromMicros(enqueued), fromMicros(advanced)
	return s, true, nil
}

// All returns every stored position, by hub and partition.
func (Positions) All(ctx context.Context, q Querier) ([]Stored, error) {
	rows, err := q.QueryContext(ctx, `SELECT hub, partition, sequence, hub_offset, enqueued, advanced FROM positions ORDER BY hub, partition`)
	if err != nil {
		return nil, fmt.Errorf("list positions: %w", err)
	}
	defer rows.Close()
	var out []Stored
	for rows.Next() {
		var s Stored
		var enqueued, advanced int64
		if err := rows.Scan(&s.Hub, &s.ID, &s.Sequence, &s.Offset, &enqueued, &advanced); err != nil {
			return nil, fmt.Errorf("read position: %w", err)
		}
		s.Enqueued, s.Advanced = fromMicros(enqueued), fromMicros(advanced)
		out = append(out, s)
	}
	return out, rows.Err()
}

// After returns the batch without the messages up to a sequence number, which
// are decided already. The messages of a batch are in order.
func (b Batch) After(sequence int64) Batch {
	for len(b.Messages) > 0 && b.Messages[0].Sequence <= sequence {
		b.Messages = b.Messages[1:]
	}
	return b
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
