package alerting

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
)

// fillAtOnce bounds how long the ledger is held up by what an upgrade left.
const fillAtOnce = 10_000

// fillSafeguards stores the seed codes of violations from before there was a
// column for them: they stand in the episode, which no SQL can read that both
// databases understand.
func fillSafeguards(ctx context.Context, tx *sql.Tx) error {
	var rows []*row
	err := each(ctx, tx, func(rs *sql.Rows) error {
		r, err := scanRow(rs)
		rows = append(rows, r)
		return err
	}, selectRows+`safeguards = '' LIMIT `+strconv.Itoa(fillAtOnce))
	if err == nil {
		err = saveRows(ctx, tx, rows)
	}
	if err != nil {
		return fmt.Errorf("store the safeguards of violations: %w", err)
	}
	return nil
}
