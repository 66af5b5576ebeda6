package detectors

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// flapping finds safeguards that go and come:
//
//	correlation:
//	  type: event_count
//	  rules: ['*', '*:restored']
//	  timespan: 24h
//	  condition: {gte: 3}
//	safeguard: {flaps: 3}
//
// It is fed by findings, not by matches: a cycle is a weakening and the restore
// after it, and the last of that many within the timespan is found. What a
// person's next sign-in restores does not count. Of the restores of what is not
// known to have been weak, the first of each minute is kept.
type flapping struct {
	*correlation
	engine *Engine
	pruned int64
}

func (c *flapping) judge(ctx context.Context, tx *sql.Tx, _ []fed, findings []Finding) ([]Finding, error) {
	var turns []turn
	newest := int64(0)
	for i := range findings {
		f := &findings[i]
		if c.engine.correlates(f) || f.State != Weakened && f.State != Restored || strings.HasPrefix(f.Rule.Entry, "signin-") {
			continue
		}
		newest = max(newest, seen(f.Time.UnixMicro(), f.Evidence.Enqueued))
		thing := storable(strings.Join([]string{f.Tenant, f.Rule.Entry, strings.ToLower(f.Subject)}, parted))
		turns = append(turns, turn{f, thing, f.Time.UnixMicro()})
	}
	weak, err := c.everWeak(ctx, tx, turns)
	if err != nil {
		return nil, err
	}
	if err := c.keepIdle(ctx, tx, turns, weak); err != nil {
		return nil, err
	}
	var out []Finding
	for i := range turns {
		if !weak[turns[i].thing] {
			continue
		}
		more, err := c.turn(ctx, tx, &turns[i])
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	if newest < c.pruned+time.Hour.Microseconds() {
		return out, nil
	}
	c.pruned = newest
	_, err = tx.ExecContext(ctx, `DELETE FROM flaps WHERE happened < $1`, newest-c.span-lateness.Microseconds())
	return out, err
}

// turn is that a safeguard went or came.
type turn struct {
	f     *Finding
	thing string
	at    int64
}

// everWeak returns the things of which a weakening is kept or among the turns.
func (c *flapping) everWeak(ctx context.Context, tx *sql.Tx, turns []turn) (map[string]bool, error) {
	weak, asked := map[string]bool{}, map[string]bool{}
	for i := range turns {
		if turns[i].f.State == Weakened {
			weak[turns[i].thing] = true
		}
	}
	for i := range turns {
		if thing := turns[i].thing; !weak[thing] {
			asked[thing] = true
		}
	}
	err := selectAmong(ctx, tx, `SELECT DISTINCT thing FROM flaps WHERE weak = $1 AND thing IN`, []any{true}, slices.Sorted(maps.Keys(asked)), weak)
	return weak, err
}

// keepIdle keeps the restores of what was never weak.
func (c *flapping) keepIdle(ctx context.Context, tx *sql.Tx, turns []turn, weak map[string]bool) error {
	type minute struct {
		thing string
		at    int64
	}
	first := map[minute]int64{}
	for i := range turns {
		t := &turns[i]
		if weak[t.thing] {
			continue
		}
		key := minute{t.thing, t.at / time.Minute.Microseconds()}
		if at, ok := first[key]; !ok || t.at < at {
			first[key] = t.at
		}
	}
	rows := make([][]any, 0, len(first))
	for key, at := range first {
		rows = append(rows, []any{key.thing, minuteOf(at), false, at})
	}
	return c.insert(ctx, tx, rows)
}

func (c *flapping) insert(ctx context.Context, tx *sql.Tx, rows [][]any) error {
	return insertRows(ctx, tx, `INSERT INTO flaps (thing, event, weak, happened) VALUES`, `ON CONFLICT (thing, event, weak) DO UPDATE
		SET happened = excluded.happened WHERE excluded.happened < flaps.happened`, rows)
}

// turn notes that a safeguard that was ever weak went or came, and judges the
// cycles around it.
func (c *flapping) turn(ctx context.Context, tx *sql.Tx, t *turn) ([]Finding, error) {
	if err := c.insert(ctx, tx, [][]any{{t.thing, storable(t.f.Evidence.EventID), t.f.State == Weakened, t.at}}); err != nil {
		return nil, err
	}
	around, err := c.around(ctx, tx, t)
	if err != nil {
		return nil, err
	}
	var out []Finding
	var cycles []int64
	weakAt := int64(-1)
	for _, f := range around {
		switch {
		case f.weak && weakAt < 0:
			weakAt = f.at
		case !f.weak && weakAt >= 0:
			cycles, weakAt = append(cycles, weakAt), -1
			if n := len(cycles) - c.key.Flaps; n >= 0 && f.at >= t.at && f.at-cycles[n] < c.span {
				out = append(out, c.finding(t.f, f.at))
			}
		}
	}
	return out, nil
}

// flap is a row of the table.
type flap struct {
	weak  bool
	at    int64
	event string
}

// maxFlaps bounds how often a thing went, and came, before and after a turn that
// it is judged by: some go and come all day.
const maxFlaps = 64

// around returns how a thing went and came around a turn, in order.
func (c *flapping) around(ctx context.Context, tx *sql.Tx, t *turn) ([]flap, error) {
	var out []flap
	for _, weak := range []bool{false, true} {
		for query, bound := range map[string]int64{
			`happened <= $3 AND happened > $4 ORDER BY happened DESC`: t.at - 2*c.span,
			`happened > $3 AND happened < $4 ORDER BY happened`:       t.at + c.span,
		} {
			rows, err := tx.QueryContext(ctx, `SELECT happened, event FROM flaps WHERE thing = $1 AND weak = $2 AND `+query+` LIMIT $5`, t.thing, weak, t.at, bound, maxFlaps)
			if err != nil {
				return nil, err
			}
			if out, err = scanFlaps(rows, weak, out); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(out, func(a, b flap) int {
		if a.at == b.at && a.weak != b.weak {
			return map[bool]int{false: -1, true: 1}[a.weak]
		}
		return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.event, b.event))
	})
	return out, nil
}

func scanFlaps(rows *sql.Rows, weak bool, out []flap) ([]flap, error) {
	defer rows.Close()
	for rows.Next() {
		f := flap{weak: weak}
		if err := rows.Scan(&f.at, &f.event); err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

func (c *flapping) finding(f *Finding, at int64) Finding {
	own := Finding{
		Rule: &c.rule.Meta, State: c.state, Tenant: f.Tenant, Subject: f.Rule.Entry + joiner + f.Subject, Name: f.Name, Severity: c.rule.Severity,
		Time: time.UnixMicro(at).UTC(), Evidence: f.Evidence,
	}
	own.Evidence.Time = own.Time
	own.Evidence.EventID = fmt.Sprintf("correlation/%s/%s/%s", c.rule.Entry, groupID(f.Rule.Entry+joiner+strings.ToLower(f.Subject)), minuteOf(at))
	return own
}
