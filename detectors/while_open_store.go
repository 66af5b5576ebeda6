package detectors

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

func (w *whileOpen) everOpen(ctx context.Context, tx *sql.Tx, thing string) (bool, error) {
	var one int
	err := tx.QueryRowContext(ctx, `SELECT 1 FROM while_open WHERE correlation = $1 AND thing = $2 AND role = $3 LIMIT 1`,
		w.correlation.name, thing, opens).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func (w *whileOpen) keepMinute(ctx context.Context, tx *sql.Tx, thing string, m *moment) error {
	if m.role == passed {
		m.role = waits
	}
	m.event = minuteOf(m.at)
	return w.store(ctx, tx, thing, m)
}

func minuteOf(at int64) string { return fmt.Sprint("minute ", at/time.Minute.Microseconds()) }

func (w *whileOpen) old(ctx context.Context, tx *sql.Tx, thing string, h *moment) (bool, error) {
	if w.known == "" {
		return false, nil
	}
	var n int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM while_open WHERE correlation = $1 AND thing = $2 AND role = $3 AND event = $4 AND happened < $5`,
		w.correlation.name, thing, seenAs, h.Value, h.at).Scan(&n)
	return n > 0, err
}

func (w *whileOpen) note(ctx context.Context, tx *sql.Tx, thing string, f *fed) error {
	if tx != w.tx {
		w.tx = tx
		clear(w.own)
	}
	key := thing + parted + f.value
	if first, ok := w.seen[key]; ok && first <= f.at {
		return nil
	}
	var first int64
	err := tx.QueryRowContext(ctx, `SELECT happened FROM while_open WHERE correlation = $1 AND thing = $2 AND role = $3 AND event = $4`,
		w.correlation.name, thing, seenAs, f.value).Scan(&first)
	switch {
	case err == nil && first <= f.at:
		if _, mine := w.own[key]; !mine {
			w.remember(key, first)
		}
		return nil
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return err
	}
	w.own[key] = struct{}{}
	return w.store(ctx, tx, thing, &moment{role: seenAs, event: f.value, at: f.at})
}

func (w *whileOpen) remember(key string, first int64) {
	if len(w.seen) >= maxSeen {
		clear(w.seen)
	}
	w.seen[key] = first
}

func (w *whileOpen) store(ctx context.Context, tx *sql.Tx, thing string, m *moment) error {
	data, err := json.Marshal(m.momentData)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO while_open (correlation, thing, role, event, happened, data) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (correlation, thing, role, event) DO UPDATE SET happened = excluded.happened, data = excluded.data
		WHERE excluded.happened < while_open.happened`, w.correlation.name, thing, m.role, m.event, m.at, data)
	return err
}

func (w *whileOpen) history(ctx context.Context, tx *sql.Tx, thing string, waiting bool) ([]moment, error) {
	rows, err := tx.QueryContext(ctx, `SELECT role, event, happened, data FROM while_open
		WHERE correlation = $1 AND thing = $2 AND (role IN ($3, $4, $5, $6) OR $7 AND role = $8)`,
		w.correlation.name, thing, opens, closes, passed, found, waiting, waits)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []moment
	for rows.Next() {
		var m moment
		var data []byte
		if err := rows.Scan(&m.role, &m.event, &m.at, &data); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(data, &m.momentData); err != nil {
			return nil, fmt.Errorf("read what passed: %w", err)
		}
		out = append(out, m)
	}
	slices.SortFunc(out, compareMoments)
	return out, rows.Err()
}

func (w *whileOpen) prune(ctx context.Context, tx *sql.Tx, newest int64) error {
	if newest < w.pruned+time.Hour.Microseconds() {
		return nil
	}
	w.pruned = newest
	late := newest - lateness.Microseconds()
	_, err := tx.ExecContext(ctx, `DELETE FROM while_open WHERE correlation = $1 AND role <> $2
		AND (happened < $3 OR happened < $4 AND event LIKE 'minute %')`, w.correlation.name, seenAs, late-w.span, late)
	return err
}

// provenMoment is a moment as evidence tells it.
type provenMoment struct {
	Time time.Time `json:"time"`
	momentData
}
