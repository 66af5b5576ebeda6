package detectors

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// raising makes what somebody does to safeguards one step more severe while
// that person is suspect:
//
//	correlation:
//	  type: event_count
//	  rules: [role-assigned-privileged, elevate-access]
//	  group-by: [actor]      # the name or id of who becomes suspect
//	  timespan: 24h          # for how long
//	  condition: {gte: 1}
//	safeguard: {raises: true}
//
// The violation is told again, with the higher severity, and the entry's own
// incident is about the person. Suspicion that arrives late reaches back. Bad
// sign-ins and risk are no violations here: they are what makes suspect.
type raising struct {
	*correlation
	engine *Engine
	pruned int64
}

func (r *raising) judge(ctx context.Context, tx *sql.Tx, suspects []fed, findings []Finding) ([]Finding, error) {
	var out []Finding
	newest := int64(0)
	for i := range findings {
		f := &findings[i]
		if r.engine.correlates(f) || f.State != Weakened && f.State != Incident || befalls(f) {
			continue
		}
		newest = max(newest, seen(f.Time.UnixMicro(), f.Evidence.Enqueued))
		for _, actor := range []string{f.Evidence.Actor, f.By} {
			more, err := r.act(ctx, tx, f, actor)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
	}
	for i := range suspects { // after what was done, as severe as it is by now
		newest = max(newest, suspects[i].seen)
		more, err := r.suspect(ctx, tx, &suspects[i])
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return once(out), r.prune(ctx, tx, newest)
}

// once leaves out what is found of an event for the second time: its actor may be
// suspect by name and by id.
func once(findings []Finding) []Finding {
	seen := map[string]bool{}
	return slices.DeleteFunc(findings, func(f Finding) bool {
		key := strings.Join([]string{f.Rule.Entry, strings.ToLower(f.Subject), string(f.State), f.Evidence.EventID}, "\x00")
		before := seen[key]
		seen[key] = true
		return before
	})
}

// befalls reports whether a violation is how somebody signs in, or is held to be,
// and nothing that they did.
func befalls(f *Finding) bool {
	return strings.HasPrefix(f.Rule.Entry, "signin-") || f.Rule.Entry == "user-at-risk"
}

// suspect keeps that somebody is suspect, and raises what they did since.
func (r *raising) suspect(ctx context.Context, tx *sql.Tx, s *fed) ([]Finding, error) {
	_, err := tx.ExecContext(ctx, `INSERT INTO raise_suspects (correlation, actor, event, happened) VALUES ($1, $2, $3, $4)
		ON CONFLICT (correlation, actor, event) DO NOTHING`, r.correlation.name, s.thing, s.event, s.at)
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT finding FROM raise_acts WHERE actor = $1 AND happened > $2 AND happened < $3 ORDER BY happened, act`, s.thing, s.at, s.at+r.span)
	if err != nil {
		return nil, err
	}
	acts, err := r.engine.scanFindings(rows)
	if err != nil {
		return nil, err
	}
	var out []Finding
	for i := range acts {
		if storable(acts[i].Evidence.EventID) != s.event {
			out = append(out, r.raise(&acts[i])...)
		}
	}
	return out, nil
}

// act keeps what somebody did, and raises it if they are suspect.
func (r *raising) act(ctx context.Context, tx *sql.Tx, f *Finding, actor string) ([]Finding, error) {
	if actor == "" {
		return nil, nil
	}
	thing, at := storable(r.tenant(f.Tenant)+keySep+strings.ToLower(actor)), f.Time.UnixMicro()
	stored, err := storeFinding(f)
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO raise_acts (actor, act, happened, finding) VALUES ($1, $2, $3, $4)
		ON CONFLICT (actor, act) DO UPDATE SET finding = excluded.finding`, // a later judgement of the event

		thing, storable(strings.Join([]string{f.Rule.Entry, strings.ToLower(f.Subject), f.Evidence.EventID}, joiner)), at, stored)
	if err != nil {
		return nil, err
	}
	var suspect bool
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*) > 0 FROM raise_suspects WHERE correlation = $1 AND actor = $2 AND happened < $3 AND happened > $4 AND event <> $5`,
		r.correlation.name, thing, at, at-r.span, storable(f.Evidence.EventID)).Scan(&suspect)
	if err != nil || !suspect {
		return nil, err
	}
	return r.raise(f), nil
}

// raise tells a violation one step more severe, and that its cause is suspect.
func (r *raising) raise(f *Finding) []Finding {
	raised := *f
	raised.Severity = min(Critical, f.Severity+1)
	own := Finding{
		Rule: &r.rule.Meta, State: Incident, Tenant: f.Tenant, Subject: f.Evidence.Actor, Severity: raised.Severity, Time: f.Time,
		Evidence: f.Evidence, Revision: f.Revision,
	}
	own.Evidence.EventID = strings.Join([]string{"correlation", r.rule.Entry, groupID(f.Rule.Entry + joiner + strings.ToLower(f.Subject)), f.Evidence.EventID}, "/")
	if raised.Severity == f.Severity {
		return []Finding{own}
	}
	return []Finding{raised, own}
}

// prune drops, once an event hour, what no event can meet any more.
func (r *raising) prune(ctx context.Context, tx *sql.Tx, newest int64) error {
	if newest < r.pruned+time.Hour.Microseconds() {
		return nil
	}
	r.pruned = newest
	if _, err := tx.ExecContext(ctx, `DELETE FROM raise_suspects WHERE correlation = $1 AND happened < $2`, r.correlation.name, newest-r.span-lateness.Microseconds()); err != nil {
		return fmt.Errorf("forget old suspicions: %w", err)
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM raise_acts WHERE happened < $1`, newest-2*lateness.Microseconds())
	return err
}
