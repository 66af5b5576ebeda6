package detectors

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// Play runs a scenario's events, in their order, through decoder and engine in
// tx, and returns what was found of rule r in the form of Scenario.Want: the
// rule's own findings, and what other rules find weakened. What restores one
// entry often restores its neighbours; that is theirs to test. All findings go to
// told, message by message, if it is not nil; its error ends the play.
func (e *Engine) Play(ctx context.Context, tx *sql.Tx, r *Rule, s *Scenario, told func([]Finding) error) ([]string, error) {
	var lines []string
	for _, p := range s.Events {
		found, err := e.play(ctx, tx, r, p, told)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		lines = append(lines, found...)
	}
	return lines, nil
}

func (e *Engine) play(ctx context.Context, tx *sql.Tx, r *Rule, p Payload, told func([]Finding) error) ([]string, error) {
	var matches []Match
	var bad error
	ingest.NewDecoder().Decode(ingest.Message{Body: p.Body}, func(ev *ingest.Event) {
		matches = e.Match(ev, matches)
	}, func(q ingest.Quarantined) { bad = fmt.Errorf("quarantined: %s: %s", q.Reason, q.Detail) })
	if bad != nil {
		return nil, bad
	}
	findings, err := e.Apply(ctx, tx, matches)
	if err == nil && told != nil {
		err = told(findings)
	}
	if err != nil {
		return nil, err
	}
	var lines []string
	for i := range findings {
		switch f := &findings[i]; {
		case f.Rule.Entry != r.Entry && f.State != Restored:
			lines = append(lines, fmt.Sprintf("%s: also %s", p.Name, f.Rule.Entry))
		case f.Rule.Entry != r.Entry:
		case f.State == Restored:
			lines = append(lines, fmt.Sprintf("%s: restored %s%s", p.Name, f.Subject, ofSides(f.Strong)))
		default:
			lines = append(lines, fmt.Sprintf("%s: %s %s %s%s", p.Name, f.State, f.Severity, f.Subject, ofSides(f.Weak)))
		}
	}
	if r.correlation != nil { // one payload holds many events of one kind
		lines = slices.Compact(lines)
	}
	if len(lines) == 0 {
		lines = []string{p.Name + ": none"}
	}
	return lines, nil
}

// ofSides tells of which sides of a safeguard a finding is.
func ofSides(names []string) string {
	if len(names) == 0 {
		return ""
	}
	told := slices.Clone(names)
	for i := range told {
		if told[i] == "" {
			told[i] = theWhole
		}
	}
	return " (" + strings.Join(told, ", ") + ")"
}

// theWhole is how a scenario writes the side that has no name.
const theWhole = "as a whole"

// Explained is how one half of a rule sees an event.
type Explained struct {
	Rule      string            // the entry of the half's rule: of a correlation, one that feeds it
	State     State             // what the half concludes when it holds
	Reads     bool              // the rule's log source has this kind of event
	Outcome   bool              // the event's outcome is the one the half asks for
	Detection sigma.Explanation // the detection, part by part
	Subject   string            // whom a finding would be about
	Feeds     []string          // what it is to correlations if it holds: their entries and groups
}

// Holds reports whether the half finds the event.
func (x Explained) Holds() bool { return x.Reads && x.Outcome && x.Detection.Held }

// Explain tells, for each half of a rule, or of the rules that feed a
// correlation, what holds of an event and what does not.
func (e *Engine) Explain(r *Rule, ev *ingest.Event) []Explained {
	s := newScope(e.fields)
	s.begin(ev, noProgram(e.fields.Len()))
	var out []Explained
	seen := map[*half]bool{}
	for _, h := range r.allHalves() {
		if seen[h] {
			continue
		}
		seen[h] = true
		if h.view != nil && !h.reads(ev.Kind) && h.rule.reads(ev.Kind) {
			continue // the same detection, as it reads other events
		}
		x := Explained{
			Rule: h.rule.Entry, State: h.state, Reads: h.reads(ev.Kind), Detection: h.match.Explain(s),
			Outcome: h.outcome == ingest.OutcomeUnknown || h.outcome == ev.Outcome, Subject: h.subject.first(s),
		}
		if x.Subject == "" {
			x.Subject = fallbackSubject(ev)
		}
		x.Feeds = h.explainFeeds(s, x.Subject)
		out = append(out, x)
	}
	return out
}

// explainFeeds tells what a match of h is to correlations, for people.
func (h *half) explainFeeds(s *scope, subject string) []string {
	var out []string
	for _, f := range h.feeders {
		r := reader{b: f.append(nil, s, subject, h.rule.Entry)}
		if len(r.b) == 0 {
			out = append(out, f.to.rule.Entry+": lacks a value of its group or field")
		}
		for len(r.b) > 0 && !r.bad {
			e := r.entry()
			line := f.to.rule.Entry + ": " + strings.ReplaceAll(strings.TrimPrefix(string(e.key), f.to.tenant(s.ev.Tenant)+"\x00"), "\x00", joiner)
			if !f.numeric && len(e.value) > 0 {
				line += ", value " + strings.ReplaceAll(strings.TrimPrefix(string(e.value), "\x00"), "\x00", joiner)
			}
			out = append(out, line)
		}
	}
	return out
}
