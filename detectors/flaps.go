package detectors

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
	var out []Finding
	newest := int64(0)
	for i := range findings {
		f := &findings[i]
		if c.engine.correlates(f) || f.State != Weakened && f.State != Restored || strings.HasPrefix(f.Rule.Entry, "signin-") {
			continue
		}
		newest = max(newest, seen(f.Time.UnixMicro(), f.Evidence.Enqueued))
		more, err := c.turn(ctx, tx, f)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	if newest < c.pruned+time.Hour.Microseconds() {
		return out, nil
	}
	c.pruned = newest
	_, err := tx.ExecContext(ctx, `DELETE FROM flaps WHERE happened < $1`, newest-c.span-lateness.Microseconds())
	return out, err
}

// turn notes that a safeguard went or came, and judges the cycles around it.
func (c *flapping) turn(ctx context.Context, tx *sql.Tx, f *Finding) ([]Finding, error) {
	at, thing := f.Time.UnixMicro(), storable(strings.Join([]string{f.Tenant, f.Rule.Entry, strings.ToLower(f.Subject)}, parted))
	event, idle := storable(f.Evidence.EventID), false
	if f.State == Restored {
		var one int
		err := tx.QueryRowContext(ctx, `SELECT 1 FROM flaps WHERE thing = $1 AND weak = $2 LIMIT 1`, thing, true).Scan(&one)
		if idle = errors.Is(err, sql.ErrNoRows); idle {
			event = minuteOf(at)
		} else if err != nil {
			return nil, err
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO flaps (thing, event, weak, happened) VALUES ($1, $2, $3, $4) ON CONFLICT (thing, event, weak) DO UPDATE
		SET happened = excluded.happened WHERE excluded.happened < flaps.happened`, thing, event, f.State == Weakened, at)
	if err != nil || idle {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT weak, happened FROM flaps WHERE thing = $1 AND happened > $2 AND happened < $3 ORDER BY happened, weak, event`,
		thing, at-2*c.span, at+c.span)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Finding
	var cycles []int64
	weakAt := int64(-1)
	for rows.Next() {
		var weak bool
		var when int64
		if err := rows.Scan(&weak, &when); err != nil {
			return nil, err
		}
		switch {
		case weak && weakAt < 0:
			weakAt = when
		case !weak && weakAt >= 0:
			cycles, weakAt = append(cycles, weakAt), -1
			if n := len(cycles) - c.key.Flaps; n >= 0 && when >= at && when-cycles[n] < c.span {
				out = append(out, c.finding(f, when))
			}
		}
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
