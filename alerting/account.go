package alerting

import (
	"context"
	"database/sql"
	"fmt"
)

// Account is what became of the changes that were owed to a receiver:
// Matched = Delivered + Merged + Suppressed + Pending, always.
type Account struct {
	Receiver   string `json:"receiver"`
	Matched    int64  `json:"matched"`    // changes that routes named the receiver for
	Delivered  int64  `json:"delivered"`  // told by a delivery of their own
	Merged     int64  `json:"merged"`     // told by the delivery of a later change
	Suppressed int64  `json:"suppressed"` // told to nobody on purpose: the receiver "none"
	Pending    int64  `json:"pending"`    // not told yet
	Retried    int64  `json:"retried"`    // attempts that failed and are tried again
	Failed     int64  `json:"failed"`     // attempts that were refused, and are tried again seldom
	Oldest     int64  `json:"-"`          // when the oldest pending change was made, microseconds; 0 = none
}

// Balanced reports whether the identity holds.
func (a Account) Balanced() bool {
	return a.Matched == a.Delivered+a.Merged+a.Suppressed+a.Pending
}

// account adds to a receiver's account. Pending is not stored: it is counted
// from the deliveries, so that the identity is a check and not a definition.
func account(ctx context.Context, tx *sql.Tx, receiver string, add Account) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO delivery_accounts
		(receiver, matched, delivered, merged, suppressed, retried, failed) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (receiver) DO UPDATE SET matched = delivery_accounts.matched + excluded.matched,
		delivered = delivery_accounts.delivered + excluded.delivered, merged = delivery_accounts.merged + excluded.merged,
		suppressed = delivery_accounts.suppressed + excluded.suppressed, retried = delivery_accounts.retried + excluded.retried,
		failed = delivery_accounts.failed + excluded.failed`,
		receiver, add.Matched, add.Delivered, add.Merged, add.Suppressed, add.Retried, add.Failed)
	if err != nil {
		return fmt.Errorf("account of %s: %w", receiver, err)
	}
	return nil
}

const selectAccounts = `SELECT a.receiver, matched, delivered, merged, suppressed, retried, failed,
	COALESCE(p.pending, 0), COALESCE(p.oldest, 0)
	FROM delivery_accounts a LEFT JOIN (SELECT receiver, CAST(SUM(wanted - achieved) AS BIGINT) AS pending,
		MIN(since) AS oldest FROM deliveries WHERE wanted > achieved GROUP BY receiver) p
	ON p.receiver = a.receiver ORDER BY a.receiver`

// Accounts returns the accounts of every receiver that was ever owed
// anything, by name; also of those that the configuration no longer names.
func (l *Ledger) Accounts(ctx context.Context) ([]Account, error) { return accounts(ctx, l.db) }

func accounts(ctx context.Context, q querier) ([]Account, error) {
	var out []Account
	err := each(ctx, q, func(rows *sql.Rows) error {
		var a Account
		err := rows.Scan(&a.Receiver, &a.Matched, &a.Delivered, &a.Merged, &a.Suppressed, &a.Retried, &a.Failed,
			&a.Pending, &a.Oldest)
		out = append(out, a)
		return err
	}, selectAccounts)
	if err != nil {
		return nil, fmt.Errorf("load accounts: %w", err)
	}
	return out, nil
}
