package alerting

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"phiwatch/detectors"
)

// A violation shows the first and the newest events of its episode and the one
// that restored it: at most 20.
const (
	firstEvidence = 10
	lastEvidence  = 9
)

// episode is a violation as its observations tell it: the fold of step over
// them in the order of key. Two ledgers that know the same observations hold
// the same episodes, however the observations came in.
type episode struct {
	Violation Violation // without evidence
	Group     string    // the rule's
	Final     bool      // no event restores it: a person closes it
	Quiet     int64     // closes this long after WeakAt, microseconds; 0 = never by itself
	WeakAt    int64     // newest weakening
	First     []string  // evidence
	Last      []string
	Restore   string // event
	Severity  detectors.Severity
	Weak      []string // sides that are weak, sorted; "" is the safeguard as a whole
	Turns     turns
	flapped   []flap // of the observations folded in since it was read
}

// step takes the next observation in. o must sort after all those before it.
func (e *episode) step(o *observation) error {
	if o.state == detectors.Restored && !e.known() {
		return nil // of nothing that was ever weak
	}
	var w observed
	if err := json.Unmarshal(o.body, &w); err != nil {
		return fmt.Errorf("decode observation %s of %s: %w", o.event, o.violation, err)
	}
	switch o.state {
	case detectors.Weakened, detectors.Incident:
		e.weaken(o, &w)
	case detectors.Restored:
		e.restore(o, &w)
	case acknowledged, closed:
		e.hear(o, &w)
	}
	if e.Turns.turn(o, &w) {
		e.flapped = append(e.flapped, e.flap(o, &w))
	}
	return nil
}

func (e *episode) known() bool { return e.Violation.State != "" }

func (e *episode) weaken(o *observation, w *observed) {
	v := &e.Violation
	if !v.State.Open() || e.quietAt(o.at) {
		e.begin(o, w)
		e.Quiet = o.quiet
	} else {
		v.Repeats++
		e.Quiet = e.staysQuiet(o)
	}
	e.gain(w.Strong)
	e.lose(w.Weak)
	e.Severity = max(e.Severity, o.severity)
	e.WeakAt = o.at
	e.Group, e.Final = w.Group, o.state == detectors.Incident || !w.Restorable
	if len(e.First) < firstEvidence {
		e.First = append(e.First, o.event)
	} else {
		e.Last = append(e.Last, o.event)
		e.Last = e.Last[max(0, len(e.Last)-lastEvidence):]
	}
	v.Severity = e.Severity.String()
	v.Changed = fromMicros(o.at)
	v.Title, v.Safeguards, v.HIPAA, v.Runbook = w.Title, w.Safeguards, w.HIPAA, w.Runbook
	v.Safeguard = (&detectors.Meta{Safeguards: w.Safeguards}).Safeguard()
	v.Actor, v.ActorIP, v.Action = w.Actor, w.ActorIP, w.Action
	if w.Name != "" {
		v.SubjectName = w.Name
	}
}

// staysQuiet returns how long after o the episode closes by itself: when both o
// and what was before it would, and never if one of them takes a person.
func (e *episode) staysQuiet(o *observation) int64 {
	if e.Quiet == 0 || o.quiet == 0 {
		return 0
	}
	return max(o.quiet, e.WeakAt+e.Quiet-o.at)
}

// begin starts the next episode; the subject stays as first seen.
func (e *episode) begin(o *observation, w *observed) {
	old := e.Violation
	*e = episode{Violation: Violation{
		ID: o.violation, Entry: w.Entry, Tenant: w.Tenant, Subject: w.Subject,
		SubjectName: old.SubjectName, State: StatusOpen, Opened: fromMicros(o.at),
	}, Turns: e.Turns, flapped: e.flapped}
	if old.Subject != "" {
		e.Violation.Subject = old.Subject
	}
}

func (e *episode) restore(o *observation, w *observed) {
	v, weak := &e.Violation, len(e.Weak)
	if !v.State.Open() || e.quietAt(o.at) {
		return // or over by itself before
	}
	e.gain(w.Strong)
	if len(w.Strong) == 0 || len(e.Weak) < weak {
		v.Changed = fromMicros(o.at)
	}
	if len(w.Strong) > 0 && len(e.Weak) > 0 {
		return // another side is still weak
	}
	e.Weak = nil
	v.State, v.Restored, v.RestoredBy = StatusRestored, fromMicros(o.at), w.Actor
	e.Restore = o.event
}

// lose notes the sides that became weak; none means the safeguard as a whole.
func (e *episode) lose(sides []string) {
	if len(sides) == 0 {
		sides = []string{""}
	}
	e.Weak = append(e.Weak, sides...)
	slices.Sort(e.Weak)
	e.Weak = slices.Compact(e.Weak)
}

// gain notes the sides that are strong again. Many may be, of more that are weak:
// only those that cover others are held against each.
func (e *episode) gain(sides []string) {
	if len(e.Weak) == 0 || len(sides) == 0 {
		return
	}
	same, others := make(map[string]bool, len(sides)), []string(nil)
	for _, strong := range sides {
		if same[strong] = true; strings.HasSuffix(strong, "*") {
			others = append(others, strong)
		}
	}
	e.Weak = slices.DeleteFunc(e.Weak, func(weak string) bool {
		return same[weak] || slices.ContainsFunc(others, func(strong string) bool { return detectors.Covers(strong, weak) })
	})
}

func (e *episode) hear(o *observation, w *observed) {
	v := &e.Violation
	if !v.State.Open() || v.State == StatusAcknowledged && o.state == acknowledged {
		return
	}
	if o.state == acknowledged || w.Takes {
		v.State, v.AckedBy, v.AckedAt = StatusAcknowledged, w.Actor, fromMicros(w.Said)
	}
	if o.state == closed {
		v.State, v.ClosedBy, v.ClosedAt, v.ClosedNote = StatusClosed, w.Actor, fromMicros(w.Said), w.Note
	}
}

// quietAt reports whether an open incident has been quiet for so long at a
// time that it has closed by itself, or what lapses has lapsed.
func (e *episode) quietAt(us int64) bool {
	return e.Quiet > 0 && us-e.WeakAt > e.Quiet && e.Violation.State.Open()
}

// view is the violation as people see it after a sweep at a time; 0 for none.
func (e *episode) view(swept int64) Violation {
	v := e.Violation
	if e.quietAt(swept) {
		v.State, v.ClosedAt = StatusClosed, fromMicros(e.WeakAt+e.Quiet)
	} else if v.State == StatusClosed && v.ClosedAt.IsZero() {
		v.ClosedBy, v.ClosedAt = v.AckedBy, v.AckedAt // stored when a close took their place
	}
	v.Evidence = slices.Concat(e.First, e.Last)
	if e.Restore != "" {
		v.Evidence = append(v.Evidence, e.Restore)
	}
	return v
}

// quietUntil is when a sweep closes the episode, 0 for never.
func (e *episode) quietUntil() int64 {
	if e.Quiet == 0 || !e.Violation.State.Open() {
		return 0
	}
	return e.WeakAt + e.Quiet + 1
}

// clone returns a copy that shares nothing that step changes.
func (e *episode) clone() *episode {
	c := *e
	c.First, c.Last, c.Weak, c.Turns = slices.Clone(e.First), slices.Clone(e.Last), slices.Clone(e.Weak), e.Turns.clone()
	return &c
}
