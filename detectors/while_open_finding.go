package detectors

import (
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
	return provenMoment{time.UnixMicro(m.at).UTC(), m.momentData}
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
func (w *whileOpen) over(thing string, h, closing *moment, at int64) Finding {
	out := w.finding(thing, closing, h, Restored, nil)
	out.Subject, out.Name, out.Tenant, out.Time = h.Subject, h.Name, h.Tenant, time.UnixMicro(at).UTC()
	if w.key.AnyTenant {
		out.Tenant = closing.Tenant
	}
	out.Evidence.EventID += "/" + groupID(h.Subject)
	return out
}

// report lists what passed while the thing was open, at each closing that m bears on.
func (w *whileOpen) report(history []moment, thing string, m *moment) []Finding {
	var out []Finding
	var by *moment
	var list []provenMoment
	from := int64(0)
	for i := range history {
		h := &history[i]
		switch {
		case h.role == opens && by == nil:
			by, from, list = h, h.at, nil
		case h.role == passed && by != nil && h.at-from < w.span && len(list) < maxReported:
			list = append(list, proveMoment(h))
		case h.role == closes && by != nil:
			if len(list) > 0 && from <= m.at && m.at <= h.at {
				f := w.finding(thing, h, by, w.state, list)
				f.Subject, f.Name = by.Subject, by.Name // and whose doing it was
				f.Evidence.Action, f.Evidence.Actor, f.Evidence.ActorIP = by.Action, by.Actor, by.ActorIP
				out = append(out, f)
			}
			by = nil
		}
	}
	return out
}

// latest leaves of the reports of a closing the last, which lists all that the
// batch told.
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
