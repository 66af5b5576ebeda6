package alerting

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
)

// Rows a statement writes or asks for at most: SQLite takes 32,766 parameters,
// PostgreSQL 65,535.
const chunk = 500

// querier is a *sql.DB or a *sql.Tx.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// tuples returns "($1, $2), ($3, $4)" for rows of a number of columns.
func tuples(rows, columns int) string {
	var b strings.Builder
	for n := range rows * columns {
		switch {
		case n == 0:
			b.WriteString("(")
		case n%columns == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n + 1))
	}
	b.WriteString(")")
	return b.String()
}

// each calls scan for every row of the answer. Nothing else may use the
// transaction meanwhile.
func each(ctx context.Context, q querier, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// eachIn runs query, which ends in "IN ", for the keys, in chunks.
func eachIn(ctx context.Context, q querier, keys []string, scan func(*sql.Rows) error, query, rest string) error {
	for part := range slices.Chunk(keys, chunk) {
		if err := each(ctx, q, scan, query+tuples(1, len(part))+rest, arguments(part)...); err != nil {
			return err
		}
	}
	return nil
}

func arguments(keys []string) []any {
	out := make([]any, len(keys))
	for i, k := range keys {
		out[i] = k
	}
	return out
}

// inTx runs f in a transaction of its own.
func inTx(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
