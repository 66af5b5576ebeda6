package detectors

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// Statements over many rows: to prepare a statement costs a database many times
// what a row does.

// rowsOf says how many of n rows go into one statement: there are few texts, so
// that they are found prepared.
func rowsOf(n int) int {
	for _, some := range [...]int{128, 32, 8} {
		if n >= some {
			return some
		}
	}
	return 1
}

// insertRows runs an INSERT of rows of the same length. before ends in VALUES,
// after follows the rows; no two of them may have the same key.
func insertRows(ctx context.Context, tx *sql.Tx, before, after string, rows [][]any) error {
	for len(rows) > 0 {
		some := rows[:rowsOf(len(rows))]
		rows = rows[len(some):]
		var b strings.Builder
		b.WriteString(before)
		args := make([]any, 0, len(some)*len(some[0]))
		for i, row := range some {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(" (")
			placeholders(&b, len(args), len(row))
			b.WriteByte(')')
			args = append(args, row...)
		}
		b.WriteByte(' ')
		b.WriteString(after)
		if _, err := tx.ExecContext(ctx, b.String(), args...); err != nil {
			return err
		}
	}
	return nil
}

// selectAmong adds to found those of keys that a query returns. It ends in an
// open IN, and its other arguments come first.
func selectAmong(ctx context.Context, tx *sql.Tx, query string, args []any, keys []string, found map[string]bool) error {
	for len(keys) > 0 {
		some := keys[:rowsOf(len(keys))]
		keys = keys[len(some):]
		var b strings.Builder
		b.WriteString(query)
		b.WriteString(" (")
		placeholders(&b, len(args), len(some))
		b.WriteByte(')')
		all := append(make([]any, 0, len(args)+len(some)), args...)
		for _, key := range some {
			all = append(all, key)
		}
		if err := selectTexts(ctx, tx, b.String(), all, found); err != nil {
			return err
		}
	}
	return nil
}

func selectTexts(ctx context.Context, tx *sql.Tx, query string, args []any, found map[string]bool) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		found[text] = true
	}
	return rows.Err()
}

// placeholders writes $have+1, $have+2 … for n arguments.
func placeholders(b *strings.Builder, have, n int) {
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(have + i + 1))
	}
}
