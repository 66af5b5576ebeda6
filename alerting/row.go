package alerting

import (
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
	return nil
}

// effective leaves out, of sorted observations, the restores by events that
// also weaken: what else was known of them turned out to be too little.
func effective(obs []*observation) []*observation {
	var weak map[string]int64
	for _, o := range obs {
		if weakens(o) {
			if weak == nil {
				weak = make(map[string]int64, len(obs))
			}
			weak[o.event] = o.at
		}
	}
	undone := func(o *observation) bool {
		at, both := weak[o.event]
		return o.state == detectors.Restored && both && at == o.at
	}
	if !slices.ContainsFunc(obs, undone) {
		return obs
	}
	return slices.DeleteFunc(slices.Clone(obs), undone)
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
