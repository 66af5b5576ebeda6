package detectors

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// compareMemory turns the values that events tell into findings: of what is weaker
// than it was, and of what is back.
func (e *Engine) compareMemory(ctx context.Context, tx *sql.Tx, findings []Finding) ([]Finding, error) {
	out := make([]Finding, 0, len(findings))
	for _, f := range findings {
		if f.State != tellsValues {
			out = append(out, f)
			continue
		}
		found, err := e.recall(ctx, tx, f)
		if err != nil {
			return nil, fmt.Errorf("compare %s with what it was: %w", f.Rule.Entry, err)
		}
		out = append(out, found...)
	}
	return out, nil
}

// recall stores what f tells and judges it and all that came after it.
func (e *Engine) recall(ctx context.Context, tx *sql.Tx, f Finding) ([]Finding, error) {
	if e.steady.holds(&f) {
		return nil, nil
	}
	subject, at := strings.ToLower(f.Subject), f.Time.UnixMicro()
	stored, err := storeFinding(&f)
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO remembered (entry, tenant, subject, event, happened, finding) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (entry, tenant, subject, event) DO NOTHING`, f.Rule.Entry, f.Tenant, subject, f.Evidence.EventID, at, stored)
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT finding FROM remembered WHERE entry = $1 AND tenant = $2 AND subject = $3
		ORDER BY happened DESC, event DESC LIMIT $4`, f.Rule.Entry, f.Tenant, subject, maxHistory)
	if err != nil {
		return nil, err
	}
	history, err := e.scanFindings(rows)
	if err != nil {
		return nil, err
	}
	slices.Reverse(history)
	var out []Finding
	for i := range history {
		if !history[i].Time.Before(f.Time) {
			out = append(out, e.byEntry[f.Rule.Entry].memory.judge(history, i)...)
		}
	}
	weak := slices.ContainsFunc(out, func(f Finding) bool { return f.State == Weakened })
	e.steady.note(&f, history[len(history)-1].Evidence.EventID == f.Evidence.EventID, weak)
	if e.byEntry[f.Rule.Entry].memory.lasting() {
		if len(history) == maxHistory {
			err = forgetDull(ctx, tx, f, subject, history)
		}
		return out, err
	}
	return out, forget(ctx, tx, f, subject, history)
}

// judge holds event i of a history against what came before it.
func (m *memory) judge(history []Finding, i int) []Finding {
	f := history[i]
	f.Weak, f.Strong, f.Revision = nil, nil, 0
	for k := range m.values {
		v := &m.values[k]
		now, says := f.Told[v.name]
		if says && v.weak == replaced {
			weak, strong, earlier := v.replaced(history[:i], &f)
			f.Revision = max(f.Revision, earlier)
			f.Weak, f.Strong = append(f.Weak, weak...), append(f.Strong, strong...)
			continue
		}
		before := v.before(history[:i], f)
		if !says || len(before) == 0 {
			continue
		}
		f.Revision = max(f.Revision, len(before))
		weak, strong := v.compare(now, before)
		switch {
		case v.loses():
			weak, strong = v.compareLost(history[:i+1])
		case v.isWhole(now):
			strong = v.sidesOfWhole(history[:i+1])
		}
		f.Weak, f.Strong = append(f.Weak, weak...), append(f.Strong, strong...)
	}
	f.Told = nil
	f.Evidence.EventID += " compared" // apart from what the event is found to be by itself
	for k := range m.values {
		if v := &m.values[k]; v.lowers(f.Weak) {
			f.Severity = min(f.Severity, *v.unconfirmed)
		}
	}
	switch {
	case f.Revision == 0 && len(f.Weak) == 0:
		return nil // there is nothing to compare with
	case len(f.Weak) > 0:
		f.State = Weakened
	default:
		f.State = Restored
		if len(f.Strong) == 0 {
			f.Strong = []string{NoSide}
		}
	}
	return []Finding{f}
}

// before returns what the value was in the time before f.
func (v *remembered) before(history []Finding, f Finding) [][]string {
	var out [][]string
	for i := len(history) - 1; i >= 0; i-- {
		h := &history[i]
		texts, says := h.Told[v.name]
		if !says || !h.Time.Before(f.Time) {
			continue
		}
		out = append(out, texts)
		if h.Time.Before(f.Time.Add(-lateness)) {
			break
		}
	}
	return out
}

// forget drops what no event that may still come is held against.
func forget(ctx context.Context, tx *sql.Tx, f Finding, subject string, history []Finding) error {
	if len(history) == 0 {
		return nil
	}
	cut := history[len(history)-1].Time.Add(-2 * lateness)
	last := -1
	for i := range history {
		if history[i].Time.Before(cut) {
			last = i
		}
	}
	if len(history) == maxHistory {
		last = max(last, 1)
	}
	if last < 1 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM remembered WHERE entry = $1 AND tenant = $2 AND subject = $3 AND happened < $4`,
		f.Rule.Entry, f.Tenant, subject, history[last].Time.UnixMicro())
	return err
}
