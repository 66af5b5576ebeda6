package alerting

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"phiwatch/detectors"
)

// Limits are how long a violation may be open before it is overdue, by severity.
// A severity without a limit never is.
type Limits map[detectors.Severity]time.Duration

// DefaultLimits are the limits of the catalog.
func DefaultLimits() Limits {
	return Limits{detectors.Critical: 15 * time.Minute, detectors.High: 4 * time.Hour, detectors.Medium: 24 * time.Hour}
}

// OverdueRule describes what SweepOverdue finds.
func OverdueRule() *detectors.Meta {
	return &detectors.Meta{
		Entry: "safeguard-open-too-long", Title: "Safeguard still weak", Group: "stateful", Severity: detectors.High, Restorable: true,
		Description: "A violation has been open for longer than its severity allows - a critical one for a quarter of an hour, a high one for " +
			"four hours, a medium one for a day - counted from when its record arrived, if that was late, or somebody took it on. It is one step more severe than the violation, and over with it.",
		Safeguards: []string{"AUDIT"}, HIPAA: []string{"164.308(a)(1)(ii)(D)", "164.308(a)(6)(ii)"},
		Runbook: []string{
			"Restore the safeguard: the violation of the entry that the subject names says how.",
			"If it was restored and no event said so, close the violation.",
			"If nobody took it on, see that its receiver reaches people who do.",
		},
	}
}

var overdueRule = OverdueRule()

// SweepOverdue finds the violations that have been open for too long, and ends
// what it found of those that no longer are. rule is OverdueRule as a pack has
// tuned it; nil: untuned. Switched off, it leaves all as it is. Call it every
// minute or so, but not while events that may restore something are known to
// wait unread.
func (l *Ledger) SweepOverdue(ctx context.Context, now time.Time, limits Limits, rule *detectors.ClockRule) error {
	if rule.DisabledBy() != "" {
		return nil
	}
	err := inTx(ctx, l.db, func(tx *sql.Tx) error {
		if err := lock(ctx, tx); err != nil {
			return err
		}
		findings, err := overdue(ctx, tx, micros(now), limits)
		if err != nil {
			return fmt.Errorf("find overdue violations: %w", err)
		}
		for i := range findings {
			findings[i].Severity = rule.Level(findings[i].Severity)
		}
		return l.Apply(ctx, tx, findings)
	})
	if err == nil {
		l.changed()
	}
	return err
}

func overdue(ctx context.Context, tx *sql.Tx, now int64, limits Limits) ([]detectors.Finding, error) {
	open, err := openRows(ctx, tx)
	if err != nil {
		return nil, err
	}
	var told []string // ids of overdue violations that may be there
	byTold, toldOpen := map[string]*row{}, map[string]*row{}
	for _, r := range open {
		if r.before.Entry == overdueRule.Entry {
			toldOpen[r.id] = r
			continue
		}
		id := ViolationID(r.before.Tenant, overdueRule.Entry, overdueSubject(&r.before))
		byTold[id] = r
		told = append(told, id)
	}
	known, err := loadRows(ctx, tx, told)
	if err != nil {
		return nil, err
	}
	var out []detectors.Finding
	for _, id := range told {
		r := byTold[id]
		since, limit := r.waiting(limits)
		if limit == 0 || since+limit.Microseconds() >= now || r.episode.Final && r.episode.Quiet > 0 {
			continue
		}
		heard, err := r.heard(ctx, tx)
		if err != nil {
			return nil, err
		}
		at := max(since, heard) + limit.Microseconds()
		if at >= now || known[id] != nil && known[id].episode.WeakAt >= at {
			continue // not overdue, or told
		}
		if known[id] != nil {
			at = max(at, known[id].newest.at+1) // after what was said of an earlier episode
		}
		out = append(out, overdueFinding(&r.before, detectors.Weakened, at, r.episode.Severity, "has been open for more than "+inWords(limit)))
	}
	for id, r := range toldOpen {
		if byTold[id] == nil {
			out = append(out, overdueFinding(&r.before, detectors.Restored, max(now, r.newest.at+1), r.episode.Severity, "is no longer open"))
		}
	}
	return out, nil
}

// waiting returns since when a violation waits for somebody, and how long it may.
func (r *row) waiting(limits Limits) (since int64, limit time.Duration) {
	since = micros(r.before.Opened)
	if !r.before.AckedAt.IsZero() {
		since = max(since, micros(r.before.AckedAt))
	}
	return since, limits[r.episode.Severity]
}

// heard returns when this process or another first knew of what opened the
// violation: records come late, and nobody can act on what is not known. 0 if
// that is not kept any more.
func (r *row) heard(ctx context.Context, tx *sql.Tx) (int64, error) {
	var at sql.NullInt64
	err := tx.QueryRowContext(ctx, `SELECT MIN(arrived) FROM observations WHERE violation = $1 AND at = $2 AND state <> $3`,
		r.id, micros(r.before.Opened), string(detectors.Restored)).Scan(&at)
	if err != nil {
		return 0, fmt.Errorf("look when %s was heard of: %w", r.id, err)
	}
	return at.Int64, nil
}

func overdueSubject(v *Violation) string { return v.Entry + " + " + v.Subject }

// overdueName says what of whom is weak, as people call it.
func overdueName(v *Violation) string {
	if v.SubjectName == "" {
		return ""
	}
	return v.Entry + " + " + v.SubjectName
}

func overdueFinding(v *Violation, state detectors.State, at int64, severity detectors.Severity, words string) detectors.Finding {
	f := detectors.Finding{
		Rule: overdueRule, State: state, Tenant: v.Tenant, Subject: v.Subject, Name: overdueName(v),
		Severity: min(detectors.Critical, severity+1), Time: fromMicros(at),
		Evidence: detectors.Evidence{
			EventID: fmt.Sprintf("phiwatch/overdue/%s/%s/%d", v.ID, state, at), Kind: "phiwatch", Action: words, Time: fromMicros(at),
		},
	}
	if state == detectors.Weakened {
		f.Subject = overdueSubject(v)
	}
	f.Evidence.Record, _ = json.Marshal(map[string]any{ // texts and times only
		"detector": overdueRule.Entry, "state": state, "subject": f.Subject, "said": words, "time": f.Time, "violation": v.ID, "opened": v.Opened,
	})
	return f
}

// inWords is a duration without parts that are nothing: 15m, 4h, 1h30m.
func inWords(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func openRows(ctx context.Context, tx *sql.Tx) ([]*row, error) {
	var out []*row
	err := each(ctx, tx, func(rows *sql.Rows) error {
		r, err := scanRow(rows)
		out = append(out, r)
		return err
	}, selectRows+`state IN ('open', 'acknowledged') ORDER BY id`)
	return out, err
}
