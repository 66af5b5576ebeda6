package detectors

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
)

// change is one weakening or restore of a subject.
type change struct {
	Finding      // of a weakening, what is needed here
	counts  bool // a restore that makes up for what was lost
	after   int  // weakenings before a restore, of the time to which late records may add some
}

// judgeRegained stores f and returns it, if it counts, and what else it makes of the
// restores after it.
func (e *Engine) judgeRegained(ctx context.Context, tx *sql.Tx, r *Rule, f Finding) ([]Finding, error) {
	stored := []byte{}
	if f.State == Restored {
		var err error
		if stored, err = storeFinding(&f); err != nil {
			return nil, err
		}
	}
	kept, err := keepRegained(ctx, tx, &f, stored)
	if err != nil {
		return nil, err
	}
	if !kept {
		return []Finding{f}, nil
	}
	if err := e.pruneRegained(ctx, tx, r, f); err != nil {
		return nil, err
	}
	history, err := e.changes(ctx, tx, r, &f)
	if err != nil {
		return nil, err
	}
	var out []Finding
	if f.State == Weakened {
		out = append(out, f)
	}
	for _, t := range history {
		if t.State != Restored || t.Time.Before(f.Time) {
			continue
		}
		t.Revision = t.after
		switch {
		case t.counts:
			out = append(out, t.Finding)
		case f.State == Weakened: // it may have counted before f was known
			t.Strong = []string{NoSide}
			out = append(out, t.Finding)
		}
	}
	return out, nil
}

// keepRegained stores f and reports whether it did: a restore that counts
// whatever was lost is no matter as long as nothing was, which is everyday.
func keepRegained(ctx context.Context, tx *sql.Tx, f *Finding, stored []byte) (bool, error) {
	subject := strings.ToLower(f.Subject)
	if f.Value == whatever {
		var lost bool
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) > 0 FROM regained WHERE entry = $1 AND tenant = $2 AND subject = $3 AND state <> 'restored'`,
			f.Rule.Entry, f.Tenant, subject).Scan(&lost)
		if err != nil || !lost {
			return false, err
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO regained (entry, tenant, subject, event, state, happened, value, finding)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (entry, tenant, subject, event, state) DO UPDATE
		SET value = excluded.value, finding = excluded.finding WHERE regained.value = ''`, // an outcome tells less than its request
		f.Rule.Entry, f.Tenant, subject, f.Evidence.EventID, string(f.State), f.Time.UnixMicro(), f.Value, stored)
	return err == nil, err
}

// changes returns what is stored of f's subject, the newest of it at most, and
// judges its restores.
func (e *Engine) changes(ctx context.Context, tx *sql.Tx, r *Rule, f *Finding) ([]change, error) {
	rows, err := tx.QueryContext(ctx, `SELECT state, happened, value, finding FROM regained WHERE entry = $1 AND tenant = $2 AND subject = $3
		ORDER BY happened DESC, state DESC, event DESC LIMIT $4`, f.Rule.Entry, f.Tenant, strings.ToLower(f.Subject), maxHistory)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []change
	for rows.Next() {
		var t change
		var at int64
		var stored []byte
		if err := rows.Scan(&t.State, &at, &t.Value, &stored); err != nil {
			return nil, err
		}
		t.Time = time.UnixMicro(at).UTC()
		if t.State == Restored {
			m, err := e.readMatch(stored)
			if err != nil {
				return nil, err
			}
			t.Finding = m.Finding
		}
		out = append(out, t)
	}
	slices.Reverse(out)
	r.regained.judge(out)
	return out, rows.Err()
}

// judge judges the restores of a history, in the order of time.
func (r *regained) judge(history []change) {
	var lost string // what is to be made up for, or was last
	known, open := false, false
	for i := range history {
		t := &history[i]
		if t.State != Restored {
			if !open || r.higher(t.Value, lost) {
				lost = t.Value
			}
			known, open = true, true
			continue
		}
		t.counts = t.Value == whatever || known && r.enough(lost, t.Value)
		open = open && !t.counts
		for _, before := range history[:i] {
			if before.State != Restored && before.Time.After(t.Time.Add(-lateness)) {
				t.after++
			}
		}
	}
}

// pruneRegained drops, once an event hour, what nothing late can change.
func (e *Engine) pruneRegained(ctx context.Context, tx *sql.Tx, r *Rule, f Finding) error {
	newest := seen(f.Time.UnixMicro(), f.Evidence.Enqueued)
	if newest < r.regained.pruned+time.Hour.Microseconds() {
		return nil
	}
	r.regained.pruned = newest
	settled := newest - 2*lateness.Microseconds()
	_, err := tx.ExecContext(ctx, `DELETE FROM regained WHERE entry = $1 AND state = 'restored' AND happened < $2 AND NOT EXISTS
		(SELECT 1 FROM regained w WHERE w.entry = regained.entry AND w.tenant = regained.tenant AND w.subject = regained.subject AND w.state <> 'restored')`,
		f.Rule.Entry, settled)
	if err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, `SELECT finding FROM regained WHERE entry = $1 AND state = 'restored' AND happened < $2`, f.Rule.Entry, settled)
	if err != nil {
		return err
	}
	old, err := e.scanFindings(rows)
	if err != nil {
		return err
	}
	for i := range old {
		if err := e.settleRegained(ctx, tx, r, &old[i], settled); err != nil {
			return err
		}
	}
	return nil
}

// settleRegained drops of a subject what the last restore before settled that
// counts has made up for, and restores before it that did not count.
func (e *Engine) settleRegained(ctx context.Context, tx *sql.Tx, r *Rule, of *Finding, settled int64) error {
	history, err := e.changes(ctx, tx, r, of)
	if err != nil {
		return err
	}
	over := int64(0)
	for i := range history {
		if at := history[i].Time.UnixMicro(); history[i].counts && at < settled {
			over = at
		}
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM regained WHERE entry = $1 AND tenant = $2 AND subject = $3
		AND (happened <= $4 OR state = 'restored' AND happened < $5)`, of.Rule.Entry, of.Tenant, strings.ToLower(of.Subject), over, settled)
	return err
}
