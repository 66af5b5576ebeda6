package alerting

import (
	"context"
	"database/sql"
	"time"
)

// Prune is Sweep but for closing: for the time in which records are late, and
// what seems quiet may not be. It removes what is old once an hour.
func (l *Ledger) Prune(ctx context.Context, now time.Time) error {
	if micros(now)-l.pruned.Load() < pruneEvery.Microseconds() {
		return nil
	}
	return inTx(ctx, l.db, func(tx *sql.Tx) error {
		if err := lock(ctx, tx); err != nil {
			return err
		}
		return l.prune(ctx, tx, now)
	})
}
