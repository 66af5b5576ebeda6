package ingest

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Bounds of the quarantine where the configuration says nothing.
const (
	DefaultQuarantineAge   = 30 * 24 * time.Hour
	DefaultQuarantineBytes = 256 << 20
)

// Eviction says why a quarantined record was given up. The set is closed and
// is the label of phiwatch_quarantine_evicted_total.
type Eviction string

// The evictions.
const (
	EvictedAge  Eviction = "age"  // older than the quarantine keeps
	EvictedSize Eviction = "size" // the oldest, when the quarantine was full
)

// Evictions returns every eviction, for pre-created metrics.
func Evictions() []Eviction { return []Eviction{EvictedAge, EvictedSize} }

// Quarantine keeps what could not be decoded, for people, bounded by age and
// by total size. It may be used concurrently; additions of different
// transactions are serial.
type Quarantine struct {
	maxAge   time.Duration
	maxBytes int64
	evicted  func(Eviction, int)
	now      func() time.Time
}

// NewQuarantine returns a quarantine that keeps records for maxAge and
// maxBytes of them, or as long and as many as the defaults where these are 0.
func NewQuarantine(maxAge time.Duration, maxBytes int64) *Quarantine {
	if maxAge <= 0 {
		maxAge = DefaultQuarantineAge
	}
	if maxBytes <= 0 {
		maxBytes = DefaultQuarantineBytes
	}
	return &Quarantine{maxAge: maxAge, maxBytes: maxBytes, evicted: func(Eviction, int) {}, now: time.Now}
}

// CountOn tells evictions to m, a *Metrics for one. Call it before the first Add.
func (q *Quarantine) CountOn(m interface{ Evicted(Eviction, int) }) { q.evicted = m.Evicted }

// Add keeps records, in the transaction that advances the position past them,
// and gives up old ones to stay inside the bounds. A record that is delivered
// again takes its own place.
func (q *Quarantine) Add(ctx context.Context, tx *sql.Tx, records []Quarantined) error {
	if len(records) == 0 {
		return nil
	}
	// Locks the total first: one transaction at a time changes it.
	if err := q.grow(ctx, tx, 0, 0); err != nil {
		return err
	}
	var rows, bytes int64
	for i := range records {
		r, b, err := q.add(ctx, tx, &records[i])
		if err != nil {
			return err
		}
		rows, bytes = rows+r, bytes+b
	}
	if err := q.grow(ctx, tx, rows, bytes); err != nil {
		return err
	}
	return q.Expire(ctx, tx)
}

// add stores one record and returns by how much the quarantine grew.
func (q *Quarantine) add(ctx context.Context, tx *sql.Tx, r *Quarantined) (rows, bytes int64, err error) {
	size := int64(len(r.Bytes))
	replaced, freed, err := q.remove(ctx, tx, r.Position, r.Index)
	if err != nil {
		return 0, 0, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO quarantine (hub, partition, sequence, idx, hub_offset, reason, detail, bytes, size, added)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		r.Position.Hub, r.Position.ID, r.Position.Sequence, r.Index, r.Position.Offset, string(r.Reason), r.Detail, notNil(r.Bytes), size, q.now().UnixMicro())
	if err != nil {
		return 0, 0, fmt.Errorf("quarantine record %d of sequence %d: %w", r.Index, r.Position.Sequence, err)
	}
	return 1 - replaced, size - freed, nil
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (q *Quarantine) remove(ctx context.Context, tx *sql.Tx, at Position, index int) (rows, bytes int64, err error) {
	err = tx.QueryRowContext(ctx, `DELETE FROM quarantine WHERE hub = $1 AND partition = $2 AND sequence = $3 AND idx = $4 RETURNING size`,
		at.Hub, at.ID, at.Sequence, index).Scan(&bytes)
	switch {
	case err == sql.ErrNoRows:
		return 0, 0, nil
	case err != nil:
		return 0, 0, fmt.Errorf("remove quarantined record %d of sequence %d: %w", index, at.Sequence, err)
	}
	return 1, bytes, nil
}

func (q *Quarantine) grow(ctx context.Context, tx *sql.Tx, rows, bytes int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE quarantine_total SET rows = rows + $1, bytes = bytes + $2 WHERE one = 1`, rows, bytes)
	if err != nil {
		return fmt.Errorf("count quarantine: %w", err)
	}
	return nil
}

// Expire gives up records that are too old, and the oldest while the
// quarantine is too large. Add calls it; call it now and then as well, so that
// nothing outlives its age where nothing is added.
func (q *Quarantine) Expire(ctx context.Context, tx *sql.Tx) error {
	_, total, err := q.Total(ctx, tx)
	if err != nil {
		return err
	}
	for {
		more, err := q.expire(ctx, tx, &total)
		if err != nil || !more {
			return err
		}
	}
}

// victim is a record that may be given up.
type victim struct {
	Position
	index int
	size  int64
	added int64
}

// expire looks at the oldest records and reports whether there may be more to
// give up.
func (q *Quarantine) expire(ctx context.Context, tx *sql.Tx, total *int64) (more bool, err error) {
	victims, err := oldest(ctx, tx)
	if err != nil {
		return false, err
	}
	var rows, bytes int64
	counts := map[Eviction]int{}
	more = len(victims) > 0
	for _, v := range victims {
		cause := EvictedAge
		switch {
		case v.added < q.now().Add(-q.maxAge).UnixMicro():
		case *total-bytes > q.maxBytes:
			cause = EvictedSize
		default:
			more = false
		}
		if !more {
			break
		}
		if _, _, err := q.remove(ctx, tx, v.Position, v.index); err != nil {
			return false, err
		}
		counts[cause]++
		rows, bytes = rows+1, bytes+v.size
	}
	if rows == 0 {
		return false, nil
	}
	*total -= bytes
	for cause, n := range counts {
		q.evicted(cause, n)
	}
	return more, q.grow(ctx, tx, -rows, -bytes)
}

func oldest(ctx context.Context, tx *sql.Tx) ([]victim, error) {
	rows, err := tx.QueryContext(ctx, `SELECT hub, partition, sequence, idx, size, added FROM quarantine
		ORDER BY added, hub, partition, sequence, idx LIMIT 256`)
	if err != nil {
		return nil, fmt.Errorf("list oldest of quarantine: %w", err)
	}
	defer rows.Close()
	var out []victim
	for rows.Next() {
		var v victim
		if err := rows.Scan(&v.Hub, &v.ID, &v.Sequence, &v.index, &v.size, &v.added); err != nil {
			return nil, fmt.Errorf("read oldest of quarantine: %w", err)
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// Total returns how many records the quarantine holds, and their bytes.
func (q *Quarantine) Total(ctx context.Context, from Querier) (rows, bytes int64, err error) {
	if err = from.QueryRowContext(ctx, `SELECT rows, bytes FROM quarantine_total WHERE one = 1`).Scan(&rows, &bytes); err != nil {
		return 0, 0, fmt.Errorf("read size of quarantine: %w", err)
	}
	return rows, bytes, nil
}

// Kept is a record in quarantine.
type Kept struct {
	Quarantined
	Added time.Time // when it was put aside
}

// List returns the newest limit records of the quarantine, newest first.
func (q *Quarantine) List(ctx context.Context, from Querier, limit int) ([]Kept, error) {
	rows, err := from.QueryContext(ctx, `SELECT hub, partition, sequence, idx, hub_offset, reason, detail, bytes, added FROM quarantine
		ORDER BY added DESC, hub, partition, sequence DESC, idx DESC LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("list quarantine: %w", err)
	}
	defer rows.Close()
	var out []Kept
	for rows.Next() {
		var k Kept
		var added int64
		if err := rows.Scan(&k.Position.Hub, &k.Position.ID, &k.Position.Sequence, &k.Index, &k.Position.Offset, &k.Reason, &k.Detail, &k.Bytes, &added); err != nil {
			return nil, fmt.Errorf("read quarantine: %w", err)
		}
		k.Added = fromMicros(added)
		out = append(out, k)
	}
	return out, rows.Err()
}
