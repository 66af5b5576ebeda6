package detectors

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Some feeds tell only the new value, and tell it at every save. A rule with
// safeguard.unknown says how severe a weak value is while nothing shows that
// the subject was ever strong; once a strong value from before is known, even
// one that arrives later, the weakening has the rule's full severity.

// compareKnown settles the severity of findings of rules with an unknown level.
func (e *Engine) compareKnown(ctx context.Context, tx *sql.Tx, findings []Finding) ([]Finding, error) {
	out := findings[:0:len(findings)]
	for _, f := range findings {
		r := e.byEntry[f.Rule.Entry]
		if r == nil || r.unknown == nil {
			out = append(out, f)
			continue
		}
		settled, err := e.settle(ctx, tx, r, f)
		if err != nil {
			return nil, fmt.Errorf("compare %s with what is known: %w", f.Rule.Entry, err)
		}
		out = append(out, settled...)
	}
	return out, nil
}

func (e *Engine) settle(ctx context.Context, tx *sql.Tx, r *Rule, f Finding) ([]Finding, error) {
	subject := strings.ToLower(f.Subject)
	if f.State == Restored {
		return e.strong(ctx, tx, f, subject)
	}
	if !f.unsure {
		return []Finding{f}, nil
	}
	var before bool
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) > 0 FROM known_strong WHERE entry = $1 AND tenant = $2 AND subject = $3 AND since < $4`,
		f.Rule.Entry, f.Tenant, subject, f.Time.UnixMicro()).Scan(&before)
	if err != nil || before {
		return []Finding{f}, err
	}
	stored, err := storeFinding(&f)
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO unknown_weak (entry, tenant, subject, event, happened, finding) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (entry, tenant, subject, event) DO NOTHING`, f.Rule.Entry, f.Tenant, subject, f.Evidence.EventID, f.Time.UnixMicro(), stored)
	f.Severity = min(f.Severity, r.unknown.severity)
	return []Finding{f}, err
}

// strong notes that a subject was strong at f's time, and tells anew, at full
// severity, the weak values that turn out to have come after.
func (e *Engine) strong(ctx context.Context, tx *sql.Tx, f Finding, subject string) ([]Finding, error) {
	at := f.Time.UnixMicro()
	_, err := tx.ExecContext(ctx, `INSERT INTO known_strong (entry, tenant, subject, since) VALUES ($1, $2, $3, $4)
		ON CONFLICT (entry, tenant, subject) DO UPDATE SET since = excluded.since WHERE excluded.since < known_strong.since`,
		f.Rule.Entry, f.Tenant, subject, at)
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `DELETE FROM unknown_weak WHERE entry = $1 AND tenant = $2 AND subject = $3 AND happened > $4 RETURNING finding`,
		f.Rule.Entry, f.Tenant, subject, at)
	if err != nil {
		return nil, err
	}
	weak, err := e.scanFindings(rows)
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM unknown_weak WHERE happened < $1`, f.Time.Add(-lateness).UnixMicro())
	return append(weak, f), err
}
