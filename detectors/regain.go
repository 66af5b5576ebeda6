package detectors

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
)

// A file whose label was removed is not safe again with a lesser label: some
// restores count only if they give back what was lost. A rule says so with
//
//	safeguard:
//	  regained: {lost: FIELD, now: FIELD, order: LIST, among: LIST, enough: DETECTION}
//
// A restore counts if the value at now is the one that the newest weakening
// before it had at lost, or ranks as high in the ordered operator list, or is
// on the list among. One of the detection enough counts whatever was lost.

// regained is what a rule asks of its restores.
type regained struct {
	lost, now int // slots
	order     map[string]int
	among     []string
	always    *sigma.Matcher // restores that count whatever was lost; nil: none
	pruned    int64          // up to when, unix microseconds
}

type regainedYAML struct {
	Lost  string `yaml:"lost"`
	Now   string `yaml:"now"`
	Order string `yaml:"order"`
	Among string `yaml:"among"`

	Enough yaml.Node `yaml:"enough"`
}

func (b *builder) regained(sr *sigma.Rule, n *yaml.Node) (*regained, error) {
	if n.IsZero() {
		return nil, nil
	}
	var y regainedYAML
	if err := n.Load(&y, yaml.WithKnownFields(true)); err != nil {
		return nil, err
	}
	lists := b.options.Placeholders
	r := &regained{order: fields.Ranks(lists[y.Order]), among: lists[y.Among]}
	var err error
	if !y.Enough.IsZero() {
		if r.always, err = b.detection(sr, &y.Enough); err != nil {
			return nil, err
		}
	}
	if r.lost, err = b.read(y.Lost); err != nil {
		return nil, err
	}
	r.now, err = b.read(y.Now)
	return r, err
}

// value is what an event says was lost, or is in force now.
func (r *regained) value(state State, s *scope) string {
	switch {
	case state != Restored:
		return strings.TrimSpace(s.text(r.lost))
	case r.always != nil && r.always.Match(s):
		return whatever
	}
	return strings.TrimSpace(s.text(r.now))
}

// whatever is the value of a restore that counts whatever was lost.
const whatever = "*"

// enough reports whether now makes up for what was lost.
func (r *regained) enough(lost, now string) bool {
	if now == "" || now == whatever {
		return now == whatever
	}
	lost, now = strings.ToLower(lost), strings.ToLower(now)
	had, ranked := r.order[lost]
	has, both := r.order[now]
	return lost == now || ranked && both && has >= had ||
		slices.ContainsFunc(r.among, func(v string) bool { return strings.EqualFold(v, now) })
}

// holdRestores lets through the restores that give back what was lost.
func (e *Engine) holdRestores(ctx context.Context, tx *sql.Tx, findings []Finding) ([]Finding, error) {
	out := make([]Finding, 0, len(findings)) // one may become several
	for _, f := range findings {
		r := e.byEntry[f.Rule.Entry]
		if r == nil || r.regained == nil {
			out = append(out, f)
			continue
		}
		judged, err := e.judge(ctx, tx, r, f)
		if err != nil {
			return nil, fmt.Errorf("judge what %s regains: %w", f.Rule.Entry, err)
		}
		out = append(out, judged...)
	}
	return out, nil
}

// judge stores f and returns it, if it counts, and the stored restores that f,
// a weakening, makes count.
func (e *Engine) judge(ctx context.Context, tx *sql.Tx, r *Rule, f Finding) ([]Finding, error) {
	subject, at := strings.ToLower(f.Subject), f.Time.UnixMicro()
	stored := []byte{}
	if f.State == Restored {
		if f.Value == whatever { // there is nothing to be judged, now or later
			return []Finding{f}, nil
		}
		var err error
		if stored, err = storeFinding(&f); err != nil {
			return nil, err
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO regained (entry, tenant, subject, event, state, happened, value, finding)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (entry, tenant, subject, event, state) DO NOTHING`,
		f.Rule.Entry, f.Tenant, subject, f.Evidence.EventID, string(f.State), at, f.Value, stored)
	if err != nil {
		return nil, err
	}
	if err := r.regained.prune(ctx, tx, f); err != nil {
		return nil, err
	}
	if f.State == Restored {
		lost, found, err := lostBefore(ctx, tx, f, subject, at)
		if err != nil || !found || !r.regained.enough(lost, f.Value) {
			return nil, err
		}
		return []Finding{f}, nil
	}
	later, err := e.restoresAfter(ctx, tx, r, f, subject, at)
	return append([]Finding{f}, later...), err
}

// prune drops, once an event hour, the restores that nothing late can come before.
func (r *regained) prune(ctx context.Context, tx *sql.Tx, f Finding) error {
	newest := seen(f.Time.UnixMicro(), f.Evidence.Enqueued)
	if newest < r.pruned+time.Hour.Microseconds() {
		return nil
	}
	r.pruned = newest
	_, err := tx.ExecContext(ctx, `DELETE FROM regained WHERE entry = $1 AND state = 'restored' AND happened < $2`,
		f.Rule.Entry, newest-lateness.Microseconds())
	return err
}

// lostBefore returns what the newest weakening before at took.
func lostBefore(ctx context.Context, tx *sql.Tx, f Finding, subject string, at int64) (value string, found bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT value FROM regained WHERE entry = $1 AND tenant = $2 AND subject = $3
		AND state = 'weakened' AND happened < $4 ORDER BY happened DESC, event DESC LIMIT 1`, f.Rule.Entry, f.Tenant, subject, at).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return value, err == nil, err
}

// restoresAfter returns the stored restores that make up for weakening f.
func (e *Engine) restoresAfter(ctx context.Context, tx *sql.Tx, r *Rule, f Finding, subject string, at int64) ([]Finding, error) {
	rows, err := tx.QueryContext(ctx, `SELECT finding FROM regained WHERE entry = $1 AND tenant = $2 AND subject = $3
		AND state = 'restored' AND happened > $4 ORDER BY happened, event`, f.Rule.Entry, f.Tenant, subject, at)
	if err != nil {
		return nil, err
	}
	restores, err := e.scanFindings(rows)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(restores, func(restore Finding) bool { return !r.regained.enough(f.Value, restore.Value) }), nil
}
