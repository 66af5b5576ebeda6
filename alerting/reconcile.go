package alerting

import (
	"context"
	"database/sql"
	"fmt"
)

// Reconcile owes every open violation to the receivers that its routes name
// and that do not show it yet: those that a new configuration brings. Who has
// it already hears nothing anew. Call it after SetRoute, at start and reload.
func (l *Ledger) Reconcile(ctx context.Context) error {
	root := l.route.Load()
	if root == nil {
		return nil
	}
	err := inTx(ctx, l.db, func(tx *sql.Tx) error {
		if err := lock(ctx, tx); err != nil {
			return err
		}
		open, err := openViolations(ctx, tx)
		if err != nil {
			return err
		}
		showing, err := showing(ctx, tx, open)
		if err != nil {
			return err
		}
		p := newPlan(root)
		for i := range open {
			c := &open[i]
			if err := p.join(root.match(c.matched()), c, showing[c.after.ID], make(map[string]bool)); err != nil {
				return err
			}
		}
		return p.commit(ctx, tx, micros(l.now()))
	})
	if err != nil {
		return fmt.Errorf("reconcile open violations with the routes: %w", err)
	}
	l.changed()
	return nil
}

func openViolations(ctx context.Context, tx *sql.Tx) ([]change, error) {
	var out []change
	err := each(ctx, tx, func(rows *sql.Rows) error {
		r, err := scanRow(rows)
		if err == nil {
			out = append(out, change{after: r.before, group: r.episode.Group})
		}
		return err
	}, selectRows+`state IN ('open', 'acknowledged')`)
	return out, err
}
