package alerting

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
)

// change is what people must hear of one violation.
type change struct {
	after    Violation
	group    string // the rule's
	enqueued int64  // of the earliest event behind it; 0 if unknown
	began    bool   // an episode
}

// changes compares the rows with what they were.
func changes(rows []*row, fresh []*observation) []change {
	enqueued := make(map[string]int64)
	for _, o := range fresh {
		if e, ok := enqueued[o.violation]; o.enqueued > 0 && (!ok || o.enqueued < e) {
			enqueued[o.violation] = o.enqueued
		}
	}
	var out []change
	for _, r := range rows {
		after := r.episode.view(r.swept)
		if began := begins(&r.before, &after); began || tells(&r.before, &after) {
			out = append(out, change{after, r.episode.Group, enqueued[r.id], began})
		}
	}
	return out
}

// begins reports whether after is another episode than before. An episode
// that turns out to have begun earlier is the same one.
func begins(before, after *Violation) bool {
	return before.State == "" || after.Opened.After(before.Opened)
}

// tells reports whether people hear of a change within an episode: of another
// status and of a higher severity. Repeats, and late events that move the
// beginning back or the restore about, only show in the next message.
func tells(before, after *Violation) bool {
	return before.State != after.State || severityOf(after.Severity) > severityOf(before.Severity)
}

func severityOf(name string) int { return slices.Index(severities(), name) }

// matched are the values that matchers see: of safeguard all that the entry has.
func (c *change) matched() map[string][]string {
	out := make(map[string][]string, len(RouteLabels))
	for label, value := range c.labels() {
		out[label] = spellings(label, value)
	}
	if codes := c.after.Safeguards; len(codes) > 0 {
		out["safeguard"] = codes
	}
	return out
}

// labels are what groups are made by: one value each, so that a violation is in
// one group of a route.
func (c *change) labels() map[string]string {
	v := &c.after
	return map[string]string{
		"entry": v.Entry, "group": c.group, "safeguard": v.Safeguard,
		"severity": v.Severity, "subject": v.Subject, "tenant": v.Tenant,
	}
}

// countOpened counts the episodes that began, by entry.
func countOpened(ctx context.Context, tx *sql.Tx, changes []change) error {
	n := make(map[string]int)
	for _, c := range changes {
		if c.began {
			n[c.after.Entry]++
		}
	}
	return count(ctx, tx, "opened", n)
}

// countLate counts the observations that came too late for their place.
func countLate(ctx context.Context, tx *sql.Tx, late []*observation) error {
	n := make(map[string]int)
	for _, o := range late {
		if o.evidence != nil {
			n[o.evidence.Rule.Entry]++
		}
	}
	return count(ctx, tx, "late", n)
}

func count(ctx context.Context, tx *sql.Tx, name string, byLabel map[string]int) error {
	for _, label := range slices.Sorted(maps.Keys(byLabel)) {
		_, err := tx.ExecContext(ctx, `INSERT INTO ledger_counts (name, label, n) VALUES ($1, $2, $3)
			ON CONFLICT (name, label) DO UPDATE SET n = ledger_counts.n + excluded.n`, name, label, byLabel[label])
		if err != nil {
			return fmt.Errorf("count %s: %w", name, err)
		}
	}
	return nil
}
