package detectors

import (
	"context"
	"database/sql"
	"slices"
	"strings"
)

// whileOpen finds what happens to a thing while a safeguard of it is open, by
// event time, however the records arrive:
//
//	correlation:
//	  type: temporal_ordered
//	  rules: [device-noncompliant, 'device-noncompliant:restored', phi-sign-in]
//	  group-by: [device]
//	  timespan: 30d      # how long an opening counts
//	safeguard: {while_open: true}
//
// The last rule tells what happens; those that end in :restored close, the
// others open. What closes also restores what was found. When a record that
// arrives late shows that the thing was closed before, what was found is
// restored in the moment after.
//
// With unseen: FIELD, and known: RULE among the rules, only events whose value of
// the field no earlier event of that rule had for the thing are found; one that
// turns up late takes back what was found. With
// report: true nothing is found while the thing is open; when it closes, one
// incident lists what passed.
//
// Of what happens, and of what closes, while nothing is known ever to have been
// open, the first of each minute is kept for 72 hours, in case a late record
// opens it: restores of what was never weak are everyday.
type whileOpen struct {
	*correlation
	last, known string
	pruned      int64
	seen        durable // things and values that the table is known to have, and since when
}

const (
	opens  = "opens"
	closes = "closes"
	passed = "passed"
	waits  = "waits" // passed, but nothing is known to have been open
	found  = "found"
	seenAs = "seen"

	maxReported = 200
)

func newWhileOpen(c *correlation) *whileOpen {
	return &whileOpen{correlation: c, last: c.doc.Rules[len(c.doc.Rules)-1], known: c.key.Known}
}

// moment is a row of the table.
type moment struct {
	role, event string
	at          int64
	momentData
}

// momentData is what people are told of a moment.
type momentData struct {
	Tenant  string `json:"tenant,omitempty"`
	Event   string `json:"event"`
	Rule    string `json:"rule"`
	Action  string `json:"action,omitempty"`
	Actor   string `json:"actor,omitempty"`
	ActorIP string `json:"actor_ip,omitempty"`
	Subject string `json:"subject,omitempty"`
	Name    string `json:"name,omitempty"`
	Value   string `json:"value,omitempty"`
}

// judge takes first what was seen, then what passed, opened and closed: what
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
	for _, role := range []string{passed, opens, closes} {
		var idle minutes
		for _, f := range by[role] {
			thing, m := w.thing(f), w.moment(f, role)
			if !opened[thing] {
				idle.add(thing, m)
				continue
			}
			more, err := w.take(ctx, tx, thing, m)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
		if err := w.keep(ctx, tx, &idle); err != nil {
			return nil, err
		}
	}
	return out, w.prune(ctx, tx, newest)
}

func (w *whileOpen) moment(f *fed, role string) *moment {
	data := momentData{f.tenant, f.event, f.rule, f.action, f.actor, f.actorIP, f.subject, f.name, f.value}
	if role == opens {
		data.Rule = f.entry
	}
	return &moment{role: role, event: f.event, at: f.at, momentData: data}
}

func (w *whileOpen) role(rule string) string {
	switch {
	case rule == w.last:
		return passed
	case rule == w.known:
		return seenAs
	case strings.HasSuffix(rule, restoredSuffix):
		return closes
	}
	return opens
}

// thing is the group; with any_tenant, of whatever tenant the records name.
func (w *whileOpen) thing(f *fed) string {
	if w.key.AnyTenant {
		_, group, _ := strings.Cut(f.thing, parted)
		return parted + group
	}
	return f.thing
}

// take judges a moment of a thing that was open at some time.
func (w *whileOpen) take(ctx context.Context, tx *sql.Tx, thing string, m *moment) ([]Finding, error) {
	role := m.role
	history, err := w.history(ctx, tx, thing, role == opens, m.at)
	if err != nil {
		return nil, err
	}
	if role == passed && !w.open(history, m.at) {
		var idle minutes
		idle.add(thing, m)
		return nil, w.keep(ctx, tx, &idle)
	}
	if slices.ContainsFunc(history, func(h moment) bool { return h.role == role && h.event == m.event && h.at <= m.at }) {
		return nil, nil // a repeat
	}
	if err := w.store(ctx, tx, thing, m); err != nil {
		return nil, err
	}
	history = slices.DeleteFunc(history, func(h moment) bool { return h.role == role && h.event == m.event })
	history = append(history, *m)
	slices.SortFunc(history, compareMoments)
	if err := w.admit(ctx, tx, thing, history); err != nil {
		return nil, err
	}
	if w.key.Report {
		return w.report(history, thing, m), nil
	}
	return w.conclude(ctx, tx, thing, history, m)
}

// admit takes what waited and turns out to have happened while the thing was open.
func (w *whileOpen) admit(ctx context.Context, tx *sql.Tx, thing string, history []moment) error {
	for i := range history {
		h := &history[i]
		if h.role != waits || !w.open(history, h.at) {
			continue
		}
		h.role, h.event = passed, h.momentData.Event
		if err := w.store(ctx, tx, thing, h); err != nil {
			return err
		}
	}
	return nil
}

func compareMoments(a, b moment) int {
	switch {
	case a.at != b.at:
		return int(min(1, max(-1, a.at-b.at)))
	case a.role != b.role:
		return strings.Compare(a.role, b.role) // a tie leaves it open, as in the ledger
	}
	return strings.Compare(a.event, b.event)
}

// open reports whether the thing was open at a time.
func (w *whileOpen) open(history []moment, at int64) bool {
	return w.opening(history, at) != nil
}

// opening returns what opened the thing as it was at a time, or nil.
func (w *whileOpen) opening(history []moment, at int64) *moment {
	var by *moment
	for i := range history {
		h := &history[i]
		switch {
		case h.at > at:
			return w.lasting(by, at)
		case h.role == opens:
			by = h
		case h.role == closes:
			by = nil
		}
	}
	return w.lasting(by, at)
}

func (w *whileOpen) lasting(by *moment, at int64) *moment {
	if by == nil || at-by.at >= w.span {
		return nil
	}
	return by
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
			if w.opening(history, h.at) == nil {
				out = append(out, w.over(thing, h, m, h.at+1))
			} else if m.at > h.at {
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

// after returns what closed the thing next after a time, or nil.
func (w *whileOpen) after(history []moment, at int64) *moment {
	for i := range history {
		if history[i].role == closes && history[i].at > at {
			return &history[i]
		}
	}
	return nil
}
