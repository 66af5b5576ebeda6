package detectors

import (
	"context"
	"database/sql"
	"slices"
)

// judge takes first what was seen, then what closed, opened and passed. What
// passes or closes where nothing was ever open, nearly all of it, is kept at once.
func (w *whileOpen) judge(ctx context.Context, tx *sql.Tx, all []fed, _ []Finding) ([]Finding, error) {
	w.seen.begin()
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
	if by[seenAs], err = w.note(ctx, tx, by[seenAs]); err != nil {
		return nil, err
	}
	opened, err := w.opened(ctx, tx, by)
	if err != nil {
		return nil, err
	}
	out, err := w.takeBack(ctx, tx, by[seenAs], opened)
	if err != nil {
		return nil, err
	}
	var idle minutes
	turns := append(w.due(by, closes, opened, &idle), w.due(by, opens, opened, &idle)...)
	if turns, err = w.turn(ctx, tx, turns); err != nil {
		return nil, err
	}
	for _, d := range append(turns, w.due(by, passed, opened, &idle)...) {
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
		if thing, m := w.thing(f), w.moment(f, role); opened[thing] {
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
	history, err := w.history(ctx, tx, thing, m.role == opens, m.at)
	if err != nil {
		return nil, err
	}
	if m.role == passed {
		switch {
		case !w.open(history, m.at):
			idle.add(thing, m)
			return nil, nil
		case slices.ContainsFunc(history, func(h moment) bool { return h.role == passed && h.event == m.event && h.at <= m.at }):
			return nil, nil // a repeat
		}
		if err := w.store(ctx, tx, thing, m); err != nil {
			return nil, err
		}
		history = slices.DeleteFunc(history, func(h moment) bool { return h.role == passed && h.event == m.event })
		history = append(history, *m)
		slices.SortFunc(history, compareMoments)
	}
	if m.role == opens {
		if err := w.admit(ctx, tx, thing, history); err != nil {
			return nil, err
		}
	}
	if w.key.Report {
		return w.report(history, thing, m), nil
	}
	return w.conclude(ctx, tx, thing, history, m)
}

// admit takes what waited and turns out to have happened while the thing was open.
// What was taken before stands among it already.
func (w *whileOpen) admit(ctx context.Context, tx *sql.Tx, thing string, history []moment) error {
	taken := map[string]bool{}
	for i := range history {
		if history[i].role == passed {
			taken[history[i].event] = true
		}
	}
	for i := range history {
		h := &history[i]
		if h.role != waits || taken[h.momentData.Event] || !w.open(history, h.at) {
			continue
		}
		h.role, h.event = passed, h.momentData.Event
		if err := w.store(ctx, tx, thing, h); err != nil {
			return err
		}
	}
	return nil
}

// conclude finds what passed while the thing was open and is not found yet, and
// restores what was found and is over.
func (w *whileOpen) conclude(ctx context.Context, tx *sql.Tx, thing string, history []moment, m *moment) ([]Finding, error) {
	var out []Finding
	for i := range history {
		h := &history[i]
		switch {
		case h.role == passed && (m.role == opens || h.event == m.event && h.at == m.at):
			by := w.opening(history, h.at)
			if by == nil || slices.ContainsFunc(history, func(f moment) bool { return f.role == found && f.event == h.momentData.Event }) {
				continue
			}
			if old, err := w.old(ctx, tx, thing, h); err != nil || old {
				if err != nil {
					return nil, err
				}
				continue
			}
			out = append(out, w.finding(thing, h, by, w.state, nil))
			row := moment{role: found, event: h.momentData.Event, at: h.at, momentData: h.momentData}
			if err := w.store(ctx, tx, thing, &row); err != nil {
				return nil, err
			}
			if over := w.after(history, h.at); over != nil {
				out = append(out, w.over(thing, &row, over, over.at))
			}
		case h.role == found && m.role == closes:
			switch open := w.open(history, h.at); {
			case m.at <= h.at && !open: // it never happened; what closed later has nothing to end
				out = append(out, w.over(thing, h, m, h.at+1))
			case m.at > h.at && open:
				out = append(out, w.over(thing, h, m, m.at))
			}
		}
	}
	return out, nil
}

// takeBack restores, in the moment after, what was found with a value that the
// thing turns out to have had before.
func (w *whileOpen) takeBack(ctx context.Context, tx *sql.Tx, noted []*fed, opened map[string]bool) ([]Finding, error) {
	var out []Finding
	for _, f := range noted {
		thing := w.thing(f)
		if !opened[thing] {
			continue
		}
		later, err := w.found(ctx, tx, thing, f.at)
		if err != nil {
			return nil, err
		}
		for i := range later {
			if h := &later[i]; h.Value == f.value {
				out = append(out, w.over(thing, h, w.moment(f, seenAs), h.at+1))
			}
		}
	}
	return out, nil
}
