package detectors

import "strings"

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
// arrives late shows that the thing was closed before, what was found is taken
// back; when another shows that it was open again by then, it is found again.
//
// With unseen: FIELD, and known: RULE among the rules, only events whose value of
// the field no earlier event of that rule had for the thing are found; one that
// turns up late takes back what was found. With
// report: true nothing is found while the thing is open; when it closes, one
// incident lists what passed.
//
// What a batch opens and closes is stored before any of it is judged, and what
// passed comes last: so a batch is judged as its records would be in their order
// in time, one by one.
//
// Of what happens, and of what closes, while nothing is known ever to have been
// open, the first of each minute is kept for 72 hours, in case a late record
// opens it: restores of what was never weak are everyday.
type whileOpen struct {
	*correlation
	last, known string
	pruned      int64
	seen        durable // things and values that the table is known to have, and since when
	familiar    *familiar
}

// The roles of moments, as stored.
const (
	roleOpens  = "opens"
	roleCloses = "closes"
	rolePassed = "passed"
	roleWaits  = "waits" // passed, but nothing is known to have been open
	roleFound  = "found"
	roleSeen   = "seen" // not a moment of the thing's: since when it has a value
)

// maxReported bounds what a report lists.
const maxReported = 200

func newWhileOpen(c *correlation, k *familiar) *whileOpen {
	return &whileOpen{correlation: c, familiar: k, last: c.doc.Rules[len(c.doc.Rules)-1], known: c.key.Known}
}

// moment is a row of the table.
type moment struct {
	role, event string
	at          int64
	momentData
}

// momentData is what evidence says of a moment.
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

	Revision int `json:"revision,omitempty"` // of what was found: odd if it is taken back
}

func (w *whileOpen) moment(f *fed, role string) *moment {
	data := momentData{f.tenant, f.event, f.rule, f.action, f.actor, f.actorIP, f.subject, f.name, f.value, 0}
	if role == roleOpens {
		data.Rule = f.entry
	}
	return &moment{role: role, event: f.event, at: f.at, momentData: data}
}

func (w *whileOpen) role(rule string) string {
	switch {
	case rule == w.last:
		return rolePassed
	case rule == w.known:
		return roleSeen
	case strings.HasSuffix(rule, restoredSuffix):
		return roleCloses
	}
	return roleOpens
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
		case h.role == roleOpens:
			by = h
		case h.role == roleCloses:
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

// after returns what closed the thing next after a time, or nil.
func (w *whileOpen) after(history []moment, at int64) *moment {
	for i := range history {
		if history[i].role == roleCloses && history[i].at > at {
			return &history[i]
		}
	}
	return nil
}
