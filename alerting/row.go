package alerting

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"phiwatch/detectors"
)

// append folds in observations that are newer than all before, sorted.
func (r *row) append(obs []*observation) error {
	left, err := effective(obs, r.episode.known())
	if err != nil {
		return err
	}
	for _, o := range left {
		if err := r.episode.step(o); err != nil {
			return err
		}
	}
	r.newest = obs[len(obs)-1].key()
	r.episode.Turns.Folds = r.folds + 1
	return nil
}

// effective leaves out, of sorted observations, what an event was concluded to
// be before more was known: of a weakening and a restore, that of the higher
// revision counts. An event that both weakens and restores, as far as is known, has
// weakened. known is whether they have a past.
func effective(obs []*observation, known bool) ([]*observation, error) {
	type meaning struct{ weak, strong *observation }
	var events map[string]meaning
	both := false
	for _, o := range obs {
		if !weakens(o) && o.state != detectors.Restored {
			continue
		}
		if events == nil {
			events = make(map[string]meaning, len(obs))
		}
		m := events[o.event]
		if weakens(o) {
			m.weak = o
		} else {
			m.strong = o
		}
		events[o.event] = m
		both = both || m.weak != nil && m.strong != nil
	}
	if !both {
		return obs, nil
	}
	undone := func(m meaning) bool {
		return m.weak != nil && m.strong != nil && m.weak.weight>>revised < m.strong.weight>>revised
	}
	left := slices.DeleteFunc(slices.Clone(obs), func(o *observation) bool {
		m := events[o.event]
		if m.weak == nil || m.strong == nil {
			return false
		}
		return o == m.strong && !undone(m) || o == m.weak && undone(m)
	})
	if known || slices.ContainsFunc(left, weakens) || !slices.ContainsFunc(obs, weakens) {
		return left, nil
	}
	heard := slices.Clone(obs) // people have heard of it: it is over at once
	for i, o := range heard {
		if m := events[o.event]; o == m.strong && undone(m) {
			var err error
			if heard[i], err = o.whole(); err != nil {
				return nil, err
			}
		}
	}
	slices.SortStableFunc(heard, func(a, b *observation) int { // restores of an instant behind its weakenings
		return cmp.Or(cmp.Compare(a.at, b.at), -cmp.Compare(rank(a.state)%2, rank(b.state)%2))
	})
	return heard, nil
}

// whole returns the restore o as one of all sides.
func (o *observation) whole() (*observation, error) {
	var w observed
	if err := json.Unmarshal(o.body, &w); err != nil {
		return nil, fmt.Errorf("decode observation %s of %s: %w", o.event, o.violation, err)
	}
	w.Strong = nil
	body, err := json.Marshal(w)
	all := *o
	all.body = body
	return &all, err
}

// rebuild folds the base and all stored observations anew.
func (r *row) rebuild(obs []*observation) error {
	slices.SortFunc(obs, byTime)
	r.episode = new(episode)
	if r.base != nil {
		r.episode = r.base.clone()
	}
	r.oldest = obs[0].at
	return r.append(obs)
}

// compact folds into base what is older than Lateness, when there is enough of
// it. A clock that runs ahead somewhere must not make everything too late, so
// the wall clock bounds what counts as newest.
func (r *row) compact(ctx context.Context, tx *sql.Tx, now int64) error {
	newest := min(r.newest.at, now)
	if newest-r.oldest < (Lateness + slack).Microseconds() {
		return nil
	}
	horizon := newest - Lateness.Microseconds()
	stored, err := loadObservations(ctx, tx, []string{r.id})
	if err != nil {
		return err
	}
	obs := stored[r.id]
	slices.SortFunc(obs, byTime)
	if r.base == nil {
		r.base = new(episode)
	}
	if obs, err = effective(obs, r.base.known()); err != nil {
		return err
	}
	n := 0
	for ; n < len(obs) && obs[n].at < horizon; n++ {
		if err := r.base.step(obs[n]); err != nil {
			return err
		}
	}
	r.horizon, r.oldest = horizon, newest
	if n < len(obs) {
		r.oldest = obs[n].at
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM observations WHERE violation = $1 AND at < $2`, r.id, horizon); err != nil {
		return fmt.Errorf("compact violation %s: %w", r.id, err)
	}
	return nil
}
