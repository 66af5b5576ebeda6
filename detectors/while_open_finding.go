package detectors

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"
)

// provenMoment is a moment as evidence tells it.
type provenMoment struct {
	Time time.Time `json:"time"`
	momentData
}

func proveMoment(m *moment) provenMoment {
	out := provenMoment{time.UnixMicro(m.at).UTC(), m.momentData}
	out.Revision = 0
	return out
}

// finding tells that h happened while by had opened the thing.
func (w *whileOpen) finding(thing string, h, by *moment, state State, list []provenMoment) Finding {
	at := time.UnixMicro(h.at).UTC()
	tenant := by.Tenant
	out := Finding{
		Rule: &w.rule.Meta, State: state, Tenant: tenant, Subject: h.Subject, Name: h.Name, Severity: w.rule.Severity, Time: at,
		Evidence: Evidence{
			EventID: strings.Join([]string{"correlation", w.rule.Entry, groupID(thing), h.momentData.Event}, "/"),
			Kind:    kindOfEvent(h.momentData.Event), Action: h.Action, Actor: h.Actor, ActorIP: h.ActorIP, Time: at,
		},
	}
	if out.Name == "" && strings.EqualFold(out.Subject, by.Subject) {
		out.Name = by.Name
	}
	out.Evidence.Record, _ = json.Marshal(map[string]any{ // texts and times only
		"correlation": w.rule.Entry, "subject": out.Subject, "opened": proveMoment(by), "event": proveMoment(h), "passed": list,
	})
	return out
}

// over tells that what was found is over.
func (w *whileOpen) over(thing string, h, closing *moment) Finding {
	out := w.finding(thing, closing, h, Restored, nil)
	out.Subject, out.Name, out.Tenant = h.Subject, h.Name, h.Tenant
	if w.key.AnyTenant {
		out.Tenant = closing.Tenant
	}
	out.Evidence.EventID += "/" + groupID(h.Subject)
	return out
}

// report lists what passed while the thing was open, at each closing that m bears
// on, and takes back what was listed where nothing did.
func (w *whileOpen) report(ctx context.Context, tx *sql.Tx, history []moment, thing string, m *moment) ([]Finding, error) {
	before := foundByEvent(history)
	var out []Finding
	var by *moment
	var list []provenMoment
	for i := range history {
		h := &history[i]
		switch {
		case h.role == roleOpens && by == nil:
			by, list = h, nil
		case h.role == rolePassed && by != nil && h.at-by.at < w.span && len(list) < maxReported:
			list = append(list, proveMoment(h))
		case h.role == roleCloses:
			was := before[h.momentData.Event]
			delete(before, h.momentData.Event) // it may stand here twice
			if h.at >= m.at {                  // of what was closed before m nothing is new
				more, err := w.reportOf(ctx, tx, thing, h, by, list, was, m)
				if err != nil {
					return nil, err
				}
				out = append(out, more...)
			}
			by, list = nil, nil
		}
	}
	return out, nil
}

// reportOf tells what passed before a closing since by had opened the thing, as
// far as it is new.
func (w *whileOpen) reportOf(ctx context.Context, tx *sql.Tx, thing string, h, by *moment, list []provenMoment, was, m *moment) ([]Finding, error) {
	switch {
	case len(list) > 0:
		f := w.finding(thing, h, by, w.state, list)
		f.Subject, f.Name = by.Subject, by.Name // and whose doing it was
		f.Evidence.Action, f.Evidence.Actor, f.Evidence.ActorIP = by.Action, by.Actor, by.ActorIP
		if was.stands() {
			f.Revision = was.Revision
			return []Finding{f}, nil
		}
		f.Revision = was.next()
		_, err := w.keepFound(ctx, tx, thing, h, &f)
		return []Finding{f}, err
	case was.stands():
		return w.takeBack(ctx, tx, thing, was, m)
	}
	return nil, nil
}

// latest leaves of the reports of a closing the last, which lists all of the batch.
func latest(reports []Finding) []Finding {
	last := map[string]int{}
	for i := range reports {
		last[reports[i].Evidence.EventID] = i
	}
	out := reports[:0]
	for i, f := range reports {
		if last[f.Evidence.EventID] == i {
			out = append(out, f)
		}
	}
	return out
}
