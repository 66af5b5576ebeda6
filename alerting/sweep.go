package alerting

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// How long groups show what is over: finished ones to people who look them up,
// unfinished ones among what is still open.
const (
	finishedFor = 90 * 24 * time.Hour
	overFor     = 30 * 24 * time.Hour
)

// pruneEvery is how often a sweep also removes what is old.
const pruneEvery = time.Hour

// Sweep does what the passing of time does: incidents close whose quiet period
// is over, and violations that have lapsed; restores of nothing known are
// forgotten after Lateness, evidence and the members of groups after their
// retention. Call it every minute or so; it removes things once an hour.
func (l *Ledger) Sweep(ctx context.Context, now time.Time) error {
	err := inTx(ctx, l.db, func(tx *sql.Tx) error {
		if err := lock(ctx, tx); err != nil {
			return err
		}
		if err := l.sweepQuiet(ctx, tx, micros(now)); err != nil {
			return fmt.Errorf("close quiet incidents: %w", err)
		}
		if last := l.pruned.Load(); micros(now)-last < pruneEvery.Microseconds() {
			return nil
		}
		return l.prune(ctx, tx, now)
	})
	if err == nil {
		l.changed()
	}
	return err
}

func (l *Ledger) sweepQuiet(ctx context.Context, tx *sql.Tx, now int64) error {
	var rows []*row
	err := each(ctx, tx, func(rs *sql.Rows) error {
		r, err := scanRow(rs)
		rows = append(rows, r)
		return err
	}, selectRows+`quiet_until > 0 AND quiet_until <= $1`, now)
	if err != nil {
		return err
	}
	for _, r := range rows {
		r.swept = now
	}
	slices.SortFunc(rows, func(a, b *row) int { return strings.Compare(a.id, b.id) })
	if err := saveRows(ctx, tx, rows); err != nil {
		return err
	}
	return l.tell(ctx, tx, changes(rows, nil), now)
}

func (l *Ledger) prune(ctx context.Context, tx *sql.Tx, now time.Time) error {
	if err := fillSafeguards(ctx, tx); err != nil {
		return err
	}
	late := micros(now.Add(-Lateness))
	if err := pruneIdle(ctx, tx, late); err != nil {
		return err
	}
	l.idle.forget(late)
	for _, p := range []struct {
		what, query string
		before      int64
	}{
		// From before there was a table for them.
		{"restores of nothing known", `DELETE FROM observations WHERE state = 'restored' AND arrived < $1
			AND NOT EXISTS (SELECT 1 FROM violations WHERE violations.id = observations.violation)`, late},
		{"evidence", `DELETE FROM evidence WHERE stored < $1`, micros(now.Add(-l.retention))},
		{"members of finished groups", `DELETE FROM delivery_members WHERE delivery IN
			(SELECT id FROM deliveries WHERE finished AND sent < $1)`, micros(now.Add(-finishedFor))},
		{"members long over", `DELETE FROM delivery_members WHERE
			violation IN (SELECT id FROM violations WHERE state IN ('restored', 'closed') AND newest_at < $1) AND
			delivery IN (SELECT id FROM deliveries WHERE NOT finished AND wanted = achieved)`, micros(now.Add(-overFor))},
	} {
		if _, err := tx.ExecContext(ctx, p.query, p.before); err != nil {
			return fmt.Errorf("prune %s: %w", p.what, err)
		}
	}
	l.pruned.Store(micros(now)) // should the commit fail, an hour later does as well
	return nil
}
