package alerting

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"phiwatch/detectors"
)

// append folds in observations that are newer than all before, sorted.
func (r *row) append(obs []*observation) error {
	for _, o := range effective(obs) {
		if err := r.episode.step(o); err != nil {
			return err
		}
	}
	r.newest = obs[len(obs)-1].key()
	r.episode.Turns.Folds = r.folds + 1
	return nil
}

// effective leaves out, of sorted observations, what an event was concluded to
// be before more was known. An event that both weakens and restores, as far as
// is known, has weakened.
func effective(obs []*observation) []*observation {
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
		return obs
	}
	left := slices.DeleteFunc(slices.Clone(obs), func(o *observation) bool {
		m := events[o.event]
		if m.weak == nil || m.strong == nil {
			return false
		}
		weakened := m.weak.weight>>revised >= m.strong.weight>>revised
		return o == m.strong && weakened || o == m.weak && !weakened
	})
	if !slices.ContainsFunc(left, weakens) && slices.ContainsFunc(obs, weakens) {
		return afterwards(obs) // people have heard of it: it is over at once
	}
	return left
}

// afterwards puts the restores of an instant behind its weakenings.
func afterwards(obs []*observation) []*observation {
	obs = slices.Clone(obs)
	slices.SortStableFunc(obs, func(a, b *observation) int {
		return cmp.Or(cmp.Compare(a.at, b.at), -cmp.Compare(rank(a.state)%2, rank(b.state)%2))
	})
	return obs
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
	obs = effective(obs)
	if r.base == nil {
		r.base = new(episode)
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
