package detectors

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// opened returns the things of a batch that were ever open, as far as is kept,
// those included that the batch opens.
func (w *whileOpen) opened(ctx context.Context, tx *sql.Tx, by map[string][]*fed) (map[string]bool, error) {
	found := map[string]bool{}
	for _, f := range by[roleOpens] {
		found[f.thing] = true
	}
	asked := map[string]bool{}
	for _, f := range slices.Concat(by[roleSeen], by[rolePassed], by[roleCloses]) {
		if thing := f.thing; !found[thing] {
			asked[thing] = true
		}
	}
	err := selectAmong(ctx, tx, `SELECT DISTINCT thing FROM while_open WHERE correlation = $1 AND role = $2 AND thing IN`,
		[]any{w.correlation.name, roleOpens}, slices.Sorted(maps.Keys(asked)), found)
	return found, err
}

// minutes are moments of which the first of each minute is kept.
type minutes map[minute]*moment

type minute struct {
	thing, role string
	at          int64
}

func (all *minutes) add(thing string, m *moment) {
	if *all == nil {
		*all = minutes{}
	}
	key := minute{thing, m.role, m.at / time.Minute.Microseconds()}
	if first := (*all)[key]; first == nil || m.at < first.at {
		(*all)[key] = m
	}
}

// keep stores what passed, or closed, while nothing was open.
func (w *whileOpen) keep(ctx context.Context, tx *sql.Tx, all minutes) error {
	rows := make([][]any, 0, len(all))
	for key, m := range all {
		role := m.role
		if role == rolePassed {
			role = roleWaits
		}
		row, err := w.row(key.thing, &moment{role: role, event: minuteOf(m.at), at: m.at, momentData: m.momentData})
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	return w.insert(ctx, tx, rows)
}

func minuteOf(at int64) string { return fmt.Sprint("minute ", at/time.Minute.Microseconds()) }

// old reports whether the value of an event was seen before of the thing.
func (w *whileOpen) old(ctx context.Context, tx *sql.Tx, thing string, h *moment) (bool, error) {
	if w.known == "" {
		return false, nil
	}
	var n int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM while_open WHERE correlation = $1 AND thing = $2 AND role = $3 AND event = $4 AND happened < $5`,
		w.correlation.name, thing, roleSeen, h.Value, h.at).Scan(&n)
	return n > 0, err
}

// note keeps when values were first seen of things. What the table is known to
// have is not told it again: people sign in from where they always do. It returns
// what was new to it, or to this process.
func (w *whileOpen) note(ctx context.Context, tx *sql.Tx, all []*fed) ([]*fed, error) {
	first := map[string]*fed{}
	for _, f := range all {
		key := f.thing + keySep + f.value
		switch have := first[key]; {
		case w.seen.since(key, f.at):
			w.familiar.note(f.hash, w.seen.known[key])
		case have == nil || f.at < have.at:
			first[key] = f
		}
	}
	noted := make([]*fed, 0, len(first))
	rows := make([][]any, 0, len(first))
	for key, f := range first {
		row, err := w.row(f.thing, &moment{role: roleSeen, event: f.value, at: f.at})
		if err != nil {
			return nil, err
		}
		noted, rows = append(noted, f), append(rows, row)
		w.seen.note(key, f.at)
		w.familiar.note(f.hash, f.at)
	}
	return noted, w.insert(ctx, tx, rows)
}

// turn stores what opens and closes things, and returns what was new of it.
func (w *whileOpen) turn(ctx context.Context, tx *sql.Tx, all []due) ([]due, error) {
	fresh := all[:0]
	for _, d := range all {
		row, err := w.row(d.thing, d.m)
		if err != nil {
			return nil, err
		}
		stored, err := tx.ExecContext(ctx, insertMoments+` ($1, $2, $3, $4, $5, $6) `+unlessEarlier, row...)
		if err != nil {
			return nil, err
		}
		n, err := stored.RowsAffected()
		if err != nil {
			return nil, err
		}
		if n > 0 {
			fresh = append(fresh, d)
		}
	}
	return fresh, nil
}

func (w *whileOpen) store(ctx context.Context, tx *sql.Tx, thing string, m *moment) error {
	row, err := w.row(thing, m)
	if err != nil {
		return err
	}
	return w.insert(ctx, tx, [][]any{row})
}

func (w *whileOpen) row(thing string, m *moment) ([]any, error) {
	data, err := json.Marshal(m.momentData)
	return []any{w.correlation.name, thing, m.role, m.event, m.at, data}, err
}

// Of what is told twice, the earlier time counts.
const (
	insertMoments = `INSERT INTO while_open (correlation, thing, role, event, happened, data) VALUES`
	unlessEarlier = `ON CONFLICT (correlation, thing, role, event) DO UPDATE SET happened = excluded.happened, data = excluded.data
		WHERE excluded.happened < while_open.happened`
)

func (w *whileOpen) insert(ctx context.Context, tx *sql.Tx, rows [][]any) error {
	return insertRows(ctx, tx, insertMoments, unlessEarlier, rows)
}

// history returns, in order, what is kept of a thing and bears on a time: from the
// closing before it to the closing after it. Values seen are left out, and what
// waits unless it is asked for.
func (w *whileOpen) history(ctx context.Context, tx *sql.Tx, thing string, waiting bool, at int64) ([]moment, error) {
	const of = ` FROM while_open WHERE correlation = $1 AND thing = $2 AND role <> 'seen' AND `
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	for query, bound := range map[string]*int64{
		`role = 'closes' AND happened < $3 ORDER BY happened DESC LIMIT 1`: &from,
		`role = 'closes' AND happened > $3 ORDER BY happened LIMIT 1`:      &to,
	} {
		err := tx.QueryRowContext(ctx, `SELECT happened`+of+query, w.correlation.name, thing, at).Scan(bound)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
	}
	return scanMoments(tx.QueryContext(ctx, `SELECT role, event, happened, data`+of+`happened >= $3 AND happened <= $4 AND (role <> 'waits' OR $5)`,
		w.correlation.name, thing, from, to, waiting))
}

// found returns what was found of a thing after a time.
func (w *whileOpen) found(ctx context.Context, tx *sql.Tx, thing string, after int64) ([]moment, error) {
	return scanMoments(tx.QueryContext(ctx, `SELECT role, event, happened, data FROM while_open
		WHERE correlation = $1 AND thing = $2 AND role <> 'seen' AND role = 'found' AND happened > $3`, w.correlation.name, thing, after))
}

func scanMoments(rows *sql.Rows, err error) ([]moment, error) {
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

// keepSeen is how long after its first event a value counts as seen: phones come
// from new networks every day. One that is still in use is soon seen again.
const keepSeen = 400 * 24 * time.Hour

// prune drops, once an event hour, what no event can meet any more. What passed waits
// for the closing, however long ago the thing was opened.
func (w *whileOpen) prune(ctx context.Context, tx *sql.Tx, newest int64) error {
	if newest < w.pruned+time.Hour.Microseconds() {
		return nil
	}
	w.pruned = newest
	late := newest - lateness.Microseconds()
	forgotten, err := tx.ExecContext(ctx, `DELETE FROM while_open WHERE correlation = $1 AND role = $2 AND happened < $3`,
		w.correlation.name, roleSeen, newest-keepSeen.Microseconds())
	if err != nil {
		return err
	}
	if n, err := forgotten.RowsAffected(); err != nil || n > 0 {
		w.seen = durable{} // it may have what is gone
		w.familiar.forget()
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM while_open WHERE correlation = $1 AND role <> 'seen' AND happened < $2 AND event LIKE 'minute %'
		AND (role <> 'closes' OR NOT EXISTS (`+ofThing("1")+` AND o.role = 'opens' AND o.happened <= while_open.happened))`,
		w.correlation.name, late)
	if err != nil {
		return err
	}
	most := math.MaxInt32
	if w.key.Report {
		most = maxReported
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM while_open WHERE correlation = $1 AND role <> 'seen' AND happened < $3 AND (role = 'closes'
		OR EXISTS (`+ofThing("1")+` AND o.role = 'closes' AND o.happened >= while_open.happened AND o.happened < $2)
		OR role = 'passed' AND $4 <= (`+ofThing("COUNT(*)")+` AND o.role = 'passed' AND o.happened < while_open.happened)
		OR role = 'opens' AND NOT EXISTS (`+ofThing("1")+` AND o.role = 'passed' AND o.happened >= while_open.happened))`,
		w.correlation.name, late, late-w.span, most)
	return err
}

// ofThing selects from what is kept of the thing of a row.
func ofThing(what string) string {
	return `SELECT ` + what + ` FROM while_open o WHERE o.correlation = while_open.correlation AND o.thing = while_open.thing AND o.role <> 'seen'`
}
