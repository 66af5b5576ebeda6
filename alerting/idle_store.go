package alerting

import (
	"context"
	"database/sql"
	"fmt"
	"math"
)

// loadKnown calls add with every violation.
func loadKnown(ctx context.Context, tx *sql.Tx, add func(violationKey)) error {
	err := each(ctx, tx, func(rows *sql.Rows) error {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		k, err := keyOf(id)
		add(k)
		return err
	}, `SELECT id FROM violations`)
	if err != nil {
		return fmt.Errorf("load ids of violations: %w", err)
	}
	return nil
}

func hasIdle(ctx context.Context, tx *sql.Tx, m mark) (bool, error) {
	if m.seq == 0 {
		return true, nil // before the first
	}
	var n int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM idle_restores WHERE seq = $1 AND writer = $2`, m.seq, m.writer).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for own idle restores: %w", err)
	}
	return n > 0, nil
}

// loadIdle calls f with the rows after seq, in order.
func loadIdle(ctx context.Context, tx *sql.Tx, seq int64, f func(seq, arrived int64, ids, begun []violationKey)) error {
	err := each(ctx, tx, func(rows *sql.Rows) error {
		var seq, arrived int64
		var ids, begun sql.RawBytes
		if err := rows.Scan(&seq, &arrived, &ids, &begun); err != nil {
			return err
		}
		f(seq, arrived, unpackKeys(ids), unpackKeys(begun))
		return nil
	}, `SELECT seq, arrived, ids, begun FROM idle_restores WHERE seq > $1 ORDER BY seq`, seq)
	if err != nil {
		return fmt.Errorf("load ids of idle restores: %w", err)
	}
	return nil
}

// readIdle returns the idle restores of wanted violations in some rows.
func readIdle(ctx context.Context, tx *sql.Tx, first, last int64, want map[violationKey]string) ([]*observation, error) {
	var out []*observation
	err := each(ctx, tx, func(rows *sql.Rows) error {
		var ids, data sql.RawBytes
		if err := rows.Scan(&ids, &data); err != nil {
			return err
		}
		keys := unpackKeys(ids)
		found, err := decodeIdle(data, len(keys), func(i int) (string, bool) {
			id, ok := want[keys[i]]
			return id, ok
		})
		out = append(out, found...)
		return err
	}, `SELECT ids, data FROM idle_restores WHERE seq BETWEEN $1 AND $2`, first, last)
	if err != nil {
		return nil, fmt.Errorf("read idle restores: %w", err)
	}
	return out, nil
}

func insertIdle(ctx context.Context, tx *sql.Tx, m mark, arrived int64, ids, begun []violationKey, data []byte) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO idle_restores (seq, writer, arrived, ids, begun, data)
		VALUES ($1, $2, $3, $4, $5, $6)`, m.seq, m.writer, arrived, packKeys(ids), packKeys(begun), data)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE ledger_lock SET seq = $1, writer = $2 WHERE one = 1`, m.seq, m.writer)
	}
	if err != nil {
		return fmt.Errorf("store idle restores: %w", err)
	}
	return nil
}

// pruneIdle removes what arrived before a time. With a row, it removes all
// before it: a process that finds its last row finds all since.
func pruneIdle(ctx context.Context, tx *sql.Tx, before int64) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM idle_restores WHERE seq <
		COALESCE((SELECT seq FROM idle_restores WHERE arrived >= $1 ORDER BY seq LIMIT 1), $2)`, before, int64(math.MaxInt64))
	if err != nil {
		return fmt.Errorf("prune idle restores: %w", err)
	}
	return nil
}

func packKeys(keys []violationKey) []byte {
	out := make([]byte, 0, len(keys)*len(violationKey{}))
	for i := range keys {
		out = append(out, keys[i][:]...)
	}
	return out
}

func unpackKeys(b []byte) []violationKey {
	out := make([]violationKey, len(b)/len(violationKey{}))
	for i := range out {
		copy(out[i][:], b[i*len(out[i]):])
	}
	return out
}
