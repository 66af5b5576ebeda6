package alerting

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"phiwatch/detectors"
)

// A safeguard flaps when it went and came flapTimes within flapSpan.
const (
	flapTimes = 3
	flapSpan  = 24 * time.Hour
)

// FlappingRule describes what the ledger finds by itself of what it is told.
func FlappingRule() *detectors.Meta {
	return &detectors.Meta{
		Entry: "safeguard-flapping", Title: "Safeguard goes and comes", Group: "stateful", Severity: detectors.High, Quiet: flapSpan,
		Description: "The same safeguard of the same thing was weakened and restored three times within a day. Two automations that disagree, " +
			"or somebody who opens a door whenever it is needed. What the next good sign-in of a person restores is left out, since that comes and goes by itself.",
		Safeguards: []string{"AUDIT"}, HIPAA: []string{"164.308(a)(1)(ii)(D)", "164.312(b)"},
		Tags: []string{"attack.defense-evasion", "attack.t1562.001"},
		Runbook: []string{
			"Find who changes it each time: the evidence, and the history of the violation that the subject names. Two automations - decide which is right and stop the other.",
			"One person - ask for the reason, and read what was done in each gap.",
			"Check that the safeguard is on now.",
		},
	}
}

var flappingRule = FlappingRule()

// SetFlapping says how a pack has tuned FlappingRule; nil: untuned. Switched
// off, nothing more is found.
func (l *Ledger) SetFlapping(rule *detectors.ClockRule) { l.flapping.Store(rule) }

// turns is how a safeguard went and came lately. Of a time in which it was weak
// only the newest weakening counts: so what further events add to the past can
// make a safeguard flap, but not make it not have flapped. A restore that turns
// out to be none can.
type turns struct {
	Folds   int     // how often it was judged
	Weak    int64   `json:",omitempty"` // newest weakening since the last restore
	Cycles  []int64 `json:",omitempty"` // newest weakening before each of the last restores that ended one
	Flapped []int64 `json:",omitempty"` // the newest restores at which it flapped
}

// maxFlaps bounds what is remembered of a safeguard that goes and comes all day.
const maxFlaps = 64

// turn takes the next observation in, and reports whether the safeguard flaps at it.
func (t *turns) turn(o *observation, w *observed) bool {
	switch {
	case o.state == detectors.Weakened:
		t.Weak = o.at
	case o.state == detectors.Restored && !slices.Equal(w.Strong, noSide):
		if t.Weak != 0 {
			t.Cycles, t.Weak = append(last(t.Cycles, flapTimes-1), t.Weak), 0
		}
		if told := last(t.Flapped, 1); len(told) > 0 && told[0] == o.at {
			return false
		}
		if len(t.Cycles) == flapTimes && o.at-t.Cycles[0] < flapSpan.Microseconds() {
			t.Flapped = append(last(t.Flapped, maxFlaps-1), o.at)
			return true
		}
	}
	return false
}

// last returns the last n of a list, or all.
func last(list []int64, n int) []int64 { return list[max(0, len(list)-n):] }

func (t *turns) clone() turns {
	return turns{Folds: t.Folds, Weak: t.Weak, Cycles: slices.Clone(t.Cycles), Flapped: slices.Clone(t.Flapped)}
}

// noSide is what a restore gives back that turned out to be none.
var noSide = []string{detectors.NoSide}

// flap is a restore at which a safeguard flaps, as the episode was then.
type flap struct {
	at            int64
	subject, name string
	event         string
	by            observed
}

func (e *episode) flap(o *observation, w *observed) flap {
	return flap{at: o.at, subject: e.Violation.Subject, name: e.Violation.SubjectName, event: o.event, by: *w}
}

// flappings returns where, from the earliest of the fresh observations on, the
// violations of rows flap, and where they turn out not to have. What correlations
// found is not anything's safeguard.
func (l *Ledger) flappings(rows []*row, fresh []*observation) []detectors.Finding {
	rule := l.flapping.Load()
	if rule.DisabledBy() != "" {
		return nil
	}
	since := make(map[string]int64)
	for _, o := range fresh {
		if at, ok := since[o.violation]; !ok || o.at < at {
			since[o.violation] = o.at
		}
	}
	var out []detectors.Finding
	for _, r := range rows {
		v := &r.episode.Violation
		if r.episode.Group == flappingRule.Group || strings.HasPrefix(v.Entry, "signin-") {
			continue
		}
		for i := range r.episode.flapped {
			if f := &r.episode.flapped[i]; f.at >= since[r.id] {
				out = append(out, f.finding(r, detectors.Incident, rule.Level(flappingRule.Severity)))
			}
		}
		for _, at := range r.flapped {
			if at >= since[r.id] && !slices.Contains(r.episode.Turns.Flapped, at) {
				f := flap{at: at, subject: v.Subject, name: v.SubjectName}
				out = append(out, f.finding(r, detectors.Restored, 0))
			}
		}
	}
	return out
}

func (f *flap) finding(r *row, state detectors.State, severity detectors.Severity) detectors.Finding {
	words := fmt.Sprintf("weakened and restored %d times within %s, last by %s", flapTimes, inWords(flapSpan), f.by.Action)
	var strong []string
	if state == detectors.Restored {
		words, strong = "was not restored so often, as later records tell", noSide // at other times it may have flapped
	}
	v := r.episode.Violation
	v.Subject, v.SubjectName = f.subject, f.name
	out := detectors.Finding{
		Rule: flappingRule, State: state, Tenant: v.Tenant, Subject: overdueSubject(&v), Name: overdueName(&v),
		Severity: severity, Time: fromMicros(f.at), Revision: r.episode.Turns.Folds, Strong: strong,
		Evidence: detectors.Evidence{
			EventID: fmt.Sprintf("phiwatch/flapping/%s/%d", v.ID, f.at), Kind: "phiwatch", Action: words,
			Actor: f.by.Actor, ActorIP: f.by.ActorIP, Time: fromMicros(f.at),
		},
	}
	out.Evidence.Record, _ = json.Marshal(map[string]any{ // texts and times only
		"detector": flappingRule.Entry, "subject": out.Subject, "said": words, "time": out.Time, "violation": v.ID, "event": f.event,
	})
	return out
}
