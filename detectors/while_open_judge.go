package detectors

import (
	"context"
	"database/sql"
	"slices"
)

// judge takes first what was seen, then what closed, opened and passed. What
// passes or closes where nothing was ever open, nearly all of it, is kept at once.
func (w *whileOpen) judge(ctx context.Context, tx *sql.Tx, all []fed, _ []Finding) ([]Finding, error) {
	if len(all) == 0 {
		return nil, nil
	}
	by := map[string][]*fed{}
	newest := int64(0)
	for i := range all {
		role := w.role(all[i].rule)
		by[role] = append(by[role], &all[i])
		newest = max(newest, all[i].seen)
	}
	var err error
	if by[roleSeen], err = w.note(ctx, tx, by[roleSeen]); err != nil {
		return nil, err
	}
	opened, err := w.opened(ctx, tx, by)
	if err != nil {
		return nil, err
	}
	out, err := w.unfind(ctx, tx, by[roleSeen], opened)
	if err != nil {
		return nil, err
	}
	var idle minutes
	turns := append(w.due(by, roleCloses, opened, &idle), w.due(by, roleOpens, opened, &idle)...)
	if turns, err = w.turn(ctx, tx, turns); err != nil {
		return nil, err
	}
	for _, d := range append(turns, w.due(by, rolePassed, opened, &idle)...) {
		more, err := w.take(ctx, tx, d.thing, d.m, &idle)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	if w.key.Report {
		out = latest(out)
	}
	if err := w.keep(ctx, tx, idle); err != nil {
		return nil, err
	}
	return out, w.prune(ctx, tx, newest)
}

// due is a moment to be judged of a thing that was open at some time.
type due struct {
	thing string
	m     *moment
}

// due returns, in their order in time, the moments of a batch in a role of things
// that were ever open; those of others go to idle.
func (w *whileOpen) due(by map[string][]*fed, role string, opened map[string]bool, idle *minutes) []due {
	var out []due
	for _, f := range by[role] {
		if thing, m := f.thing, w.moment(f, role); opened[thing] {
			out = append(out, due{thing, m})
		} else {
			idle.add(thing, m)
		}
	}
	slices.SortStableFunc(out, func(a, b due) int { return compareMoments(*a.m, *b.m) })
	return out
}

// take judges a moment of a thing that was open at some time: what opens or closes
// it is stored already.
func (w *whileOpen) take(ctx context.Context, tx *sql.Tx, thing string, m *moment, idle *minutes) ([]Finding, error) {
	history, err := w.history(ctx, tx, thing, m.role == roleOpens, m.at)
	if err != nil {
		return nil, err
	}
	if m.role == rolePassed {
		switch {
		case !w.open(history, m.at):
			idle.add(thing, m)
			return nil, nil
		case slices.ContainsFunc(history, func(h moment) bool { return h.role == rolePassed && h.event == m.event && h.at <= m.at }):
			return nil, nil // a repeat
		}
		if err := w.store(ctx, tx, thing, m); err != nil {
			return nil, err
		}
		history = slices.DeleteFunc(history, func(h moment) bool { return h.role == rolePassed && h.event == m.event })
		history = append(history, *m)
		slices.SortFunc(history, compareMoments)
	}
	if m.role == roleOpens {
		if err := w.admit(ctx, tx, thing, history); err != nil {
			return nil, err
		}
	}
	if w.key.Report {
		return w.report(ctx, tx, history, thing, m)
	}
	return w.rejudge(ctx, tx, thing, history, m)
}

// admit takes what waited and turns out to have happened while the thing was open.
// What was taken before stands among it already.
func (w *whileOpen) admit(ctx context.Context, tx *sql.Tx, thing string, history []moment) error {
	taken := map[string]bool{}
	for i := range history {
		if history[i].role == rolePassed {
			taken[history[i].event] = true
		}
	}
	for i := range history {
		h := &history[i]
		if h.role != roleWaits || taken[h.momentData.Event] || !w.open(history, h.at) {
			continue
		}
		h.role, h.event = rolePassed, h.momentData.Event
		if err := w.store(ctx, tx, thing, h); err != nil {
			return err
		}
	}
	return nil
}

// rejudge finds what passed while the thing was open and is not found yet, takes
// back what was found and turns out to have passed while it was not, and restores
// what was found and is over.
func (w *whileOpen) rejudge(ctx context.Context, tx *sql.Tx, thing string, history []moment, m *moment) ([]Finding, error) {
	before := foundByEvent(history)
	var out []Finding
	for i := range history {
		h := &history[i]
		if h.role != rolePassed || m.role == rolePassed && (h.event != m.event || h.at != m.at) {
			continue
		}
		var more []Finding
		var err error
		by, was := w.opening(history, h.at), before[h.event]
		switch {
		case by == nil && was.stands():
			more, err = w.takeBack(ctx, tx, thing, was, m)
		case by != nil && !was.stands():
			more, err = w.find(ctx, tx, thing, h, by, was, w.after(history, h.at))
		case by != nil && m.role == roleCloses && m.at > h.at:
			more = []Finding{w.over(thing, was, m)}
		}
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// find finds what passed, unless its value was seen before, and that it is over
// where the thing was closed since. was is what was found of it and taken back.
func (w *whileOpen) find(ctx context.Context, tx *sql.Tx, thing string, h, by, was, closing *moment) ([]Finding, error) {
	if old, err := w.old(ctx, tx, thing, h); err != nil || old {
		return nil, err
	}
	f := w.finding(thing, h, by, w.state, nil)
	f.Revision = was.next()
	row, err := w.keepFound(ctx, tx, thing, h, &f)
	if err != nil || closing == nil {
		return []Finding{f}, err
	}
	return []Finding{f, w.over(thing, row, closing)}, nil
}

// unfind takes back what was found with a value that the thing turns out to have
// had before.
func (w *whileOpen) unfind(ctx context.Context, tx *sql.Tx, noted []*fed, opened map[string]bool) ([]Finding, error) {
	var out []Finding
	for _, f := range noted {
		thing := f.thing
		if !opened[thing] {
			continue
		}
		later, err := w.found(ctx, tx, thing, f.at)
		if err != nil {
			return nil, err
		}
		for i := range later {
			h := &later[i]
			if h.Value != f.value || !h.stands() {
				continue
			}
			more, err := w.takeBack(ctx, tx, thing, h, w.moment(f, roleSeen))
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
	}
	return out, nil
}
