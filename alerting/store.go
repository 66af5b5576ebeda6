package alerting

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"phiwatch/detectors"
)

// row is one violation as stored.
type row struct {
	id      string
	newest  key
	oldest  int64    // time of the oldest observation not in base
	horizon int64    // observations before this are in base
	swept   int64    // last sweep that closed it
	base    *episode // nil: nothing compacted
	episode *episode // nil: not stored yet
	before  Violation
	folds   int     // of the episode as stored
	flapped []int64 // likewise
}

// lock makes this the only transaction that writes the ledger. SQLite has only
// one writer anyway; with PostgreSQL, a row read is a row that may be written.
func lock(ctx context.Context, tx *sql.Tx) error {
	_, err := lockHead(ctx, tx)
	return err
}

// lockHead is lock, and returns the last row of idle_restores.
func lockHead(ctx context.Context, tx *sql.Tx) (head mark, err error) {
	err = tx.QueryRowContext(ctx, `UPDATE ledger_lock SET n = n + 1 WHERE one = 1 RETURNING seq, writer`).Scan(&head.seq, &head.writer)
	if err != nil {
		return head, fmt.Errorf("lock the ledger: %w", err)
	}
	return head, nil
}

const selectRows = `SELECT id, newest_at, newest_rank, newest_event, oldest_at, horizon, swept, base, episode
	FROM violations WHERE `

func scanRow(rows *sql.Rows) (*row, error) {
	r := new(row)
	var base, now []byte
	if err := rows.Scan(&r.id, &r.newest.at, &r.newest.rank, &r.newest.event,
		&r.oldest, &r.horizon, &r.swept, &base, &now); err != nil {
		return nil, err
	}
	if base != nil {
		r.base = new(episode)
		if err := json.Unmarshal(base, r.base); err != nil {
			return nil, fmt.Errorf("decode base of violation %s: %w", r.id, err)
		}
	}
	r.episode = new(episode)
	if err := json.Unmarshal(now, r.episode); err != nil {
		return nil, fmt.Errorf("decode violation %s: %w", r.id, err)
	}
	r.before = r.episode.view(r.swept)
	r.folds, r.flapped = r.episode.Turns.Folds, slices.Clone(r.episode.Turns.Flapped)
	return r, nil
}

// loadRows returns the rows of the violations that have one.
func loadRows(ctx context.Context, tx *sql.Tx, ids []string) (map[string]*row, error) {
	out := make(map[string]*row, len(ids))
	err := eachIn(ctx, tx, ids, func(rows *sql.Rows) error {
		r, err := scanRow(rows)
		if err == nil {
			out[r.id] = r
		}
		return err
	}, selectRows+"id IN ", "")
	if err != nil {
		return nil, fmt.Errorf("load violations: %w", err)
	}
	return out, nil
}

const upsertRow = `INSERT INTO violations (id, tenant, entry, safeguard, severity, state, opened,
	newest_at, newest_rank, newest_event, oldest_at, horizon, quiet_until, swept, base, episode, safeguards)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
	ON CONFLICT (id) DO UPDATE SET safeguard = excluded.safeguard, severity = excluded.severity,
	state = excluded.state, opened = excluded.opened, newest_at = excluded.newest_at,
	newest_rank = excluded.newest_rank, newest_event = excluded.newest_event, oldest_at = excluded.oldest_at,
	horizon = excluded.horizon, quiet_until = excluded.quiet_until, swept = excluded.swept,
	base = excluded.base, episode = excluded.episode, safeguards = excluded.safeguards`

func saveRows(ctx context.Context, tx *sql.Tx, rows []*row) error {
	if len(rows) == 0 {
		return nil
	}
	stmt, err := tx.PrepareContext(ctx, upsertRow)
	if err != nil {
		return fmt.Errorf("prepare to save violations: %w", err)
	}
	defer stmt.Close()
	for _, r := range rows {
		if err := r.save(ctx, stmt); err != nil {
			return fmt.Errorf("save violation %s: %w", r.id, err)
		}
	}
	return nil
}

func (r *row) save(ctx context.Context, stmt *sql.Stmt) error {
	now, err := json.Marshal(r.episode)
	if err != nil {
		return err
	}
	var base []byte
	if r.base != nil {
		if base, err = json.Marshal(r.base); err != nil {
			return err
		}
	}
	v := r.episode.view(r.swept)
	quiet := r.episode.quietUntil()
	if v.State == StatusClosed {
		quiet = 0
	}
	_, err = stmt.ExecContext(ctx, r.id, v.Tenant, v.Entry, v.Safeguard, int64(r.episode.Severity), string(v.State),
		micros(v.Opened), r.newest.at, r.newest.rank, r.newest.event, r.oldest, r.horizon, quiet, r.swept, base, now, ","+strings.Join(v.Safeguards, ",")+",")
	return err
}

// A repeat of an event replaces it only as prefer in observation.go says.
const insertObservation = `INSERT INTO observations
	(violation, event, state, at, severity, quiet, weight, arrived, body) VALUES `

const replace = ` ON CONFLICT (violation, event, state) DO UPDATE SET at = excluded.at,
	severity = excluded.severity, quiet = excluded.quiet, weight = excluded.weight, body = excluded.body
	WHERE excluded.at < observations.at OR excluded.at = observations.at AND
	(excluded.weight >> 40 > observations.weight >> 40 OR excluded.weight >> 40 = observations.weight >> 40 AND
	(excluded.severity > observations.severity OR excluded.severity = observations.severity AND
	(excluded.weight > observations.weight OR excluded.weight = observations.weight AND excluded.body < observations.body)))
	RETURNING violation, event, state` // 40 is revised

// folding is what folds repeats.
type folding struct {
	violation, event string
	state            detectors.State
}

// insertObservations stores the observations and returns those that were not
// known, or not like this.
func insertObservations(ctx context.Context, tx *sql.Tx, obs []*observation, arrived int64) ([]*observation, error) {
	var fresh []*observation
	for len(obs) > 0 {
		n := min(chunk, len(obs))
		byKey := make(map[folding]*observation, n)
		args := make([]any, 0, 9*n)
		for _, o := range obs[:n] {
			byKey[folding{o.violation, o.event, o.state}] = o
			args = append(args, o.violation, o.event, string(o.state), o.at, int64(o.severity), o.quiet, o.weight, arrived, o.body)
		}
		err := each(ctx, tx, func(rows *sql.Rows) error {
			var k folding
			if err := rows.Scan(&k.violation, &k.event, &k.state); err != nil {
				return err
			}
			fresh = append(fresh, byKey[k])
			return nil
		}, insertObservation+tuples(n, 9)+replace, args...)
		if err != nil {
			return nil, fmt.Errorf("store observations: %w", err)
		}
		obs = obs[n:]
	}
	return fresh, nil
}

const selectObservations = `SELECT violation, event, state, at, severity, quiet, weight, body FROM observations WHERE violation IN `

func scanObservation(rows *sql.Rows) (*observation, error) {
	o := new(observation)
	return o, rows.Scan(&o.violation, &o.event, &o.state, &o.at, &o.severity, &o.quiet, &o.weight, &o.body)
}

// loadObservations returns the stored observations of violations, unordered.
func loadObservations(ctx context.Context, q querier, ids []string) (map[string][]*observation, error) {
	out := make(map[string][]*observation, len(ids))
	err := eachIn(ctx, q, ids, func(rows *sql.Rows) error {
		o, err := scanObservation(rows)
		out[o.violation] = append(out[o.violation], o)
		return err
	}, selectObservations, "")
	if err != nil {
		return nil, fmt.Errorf("load observations: %w", err)
	}
	return out, nil
}
