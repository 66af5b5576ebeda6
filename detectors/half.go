package detectors

import (
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// half is one of a rule's two detections: what weakens, or what restores.
type half struct {
	rule    *Rule
	state   State
	kinds   []ingest.Kind
	outcome ingest.Outcome // OutcomeUnknown: any
	subject subject
	match   *sigma.Matcher
	joined  bool     // reads the request of an Activity operation, which may come before the outcome
	view    *mapping // of a rule without a safeguard key: what its field names mean
	feeds   []*feeder
	silent  bool  // makes no findings of its own: only correlations name the rule
	attempt *half // the same, where the operation failed; nil: no correlation asks for it
	named   bool  // a correlation asks for the subject
}

// attempted returns the half that feeds correlations what h looks for where it
// failed, or nil if h does not ask for success.
func (h *half) attempted() *half {
	if h.attempt == nil && h.outcome == ingest.Success {
		h.attempt = &half{rule: h.rule, state: h.state, kinds: h.kinds, outcome: ingest.Failure, subject: h.subject, match: h.match, silent: true}
	}
	return h.attempt
}

func (h *half) reads(k ingest.Kind) bool { return slices.Contains(h.kinds, k) }

// matched appends what h's detection, which holds for the event, comes to.
func (h *half) matched(s *scope, out []Match) []Match {
	role := stands
	switch {
	case h.outcome == ingest.OutcomeUnknown || s.ev.Outcome == h.outcome:
	case h.joined && s.ev.Kind == ingest.AzureActivity && s.ev.Outcome == ingest.OutcomeUnknown:
		role = request
	case h.attempt != nil && len(h.attempt.feeds) > 0 && s.ev.Outcome == ingest.Failure:
		return h.attempt.matched(s, out)
	default:
		return out
	}
	if h.state == Restored && h.rule.halves[0].match.Match(s) {
		return out // an event that weakens and restores at once has weakened
	}
	feeds := len(h.feeds) > 0 && !(h.state == Weakened && h.outcome == ingest.OutcomeUnknown && s.ev.Outcome == ingest.Failure) // an attempt has weakened nothing
	if h.silent && !feeds {
		return out
	}
	for _, subject := range h.subjects(s) {
		if h.silent && role == stands {
			s.feed.collect(h, s, subject)
			continue
		}
		var m *Match
		out, m = next(out)
		m.role, m.silent = role, h.silent
		if feeds {
			m.feeds, m.seen = h.feed(m.feeds, s, subject), seen(s.ev.Time.UnixMicro(), s.ev.Enqueued)
		} else {
			m.feeds = nil
		}
		if h.silent && m.feeds == nil {
			out = out[:len(out)-1]
			continue
		}
		m.Finding = h.finding(s, subject)
		if role == request {
			m.operation = operationOf(s.ev)
		}
	}
	return out
}

// next appends an empty match to out, but for the memory of its feeds.
func next(out []Match) ([]Match, *Match) {
	var feeds []byte
	if n := len(out); n < cap(out) {
		feeds = out[: n+1 : n+1][n].feeds[:0]
	}
	out = append(out, Match{feeds: feeds})
	return out, &out[len(out)-1]
}

// subjects returns what a match of the event is about, at least one.
func (h *half) subjects(s *scope) []string {
	if h.silent && !h.named {
		return noSubject
	}
	if all := h.subject.of(s.ev); len(all) > 0 {
		return all
	}
	return []string{fallbackSubject(s.ev)}
}

// noSubject is the subject of what nobody asks for its subject.
var noSubject = []string{""}

// linked notes what the correlations that name h ask for.
func (h *half) linked() {
	h.named = slices.ContainsFunc(h.feeds, func(f *feeder) bool { return f.reads(findingSubject) })
	if h.attempt != nil {
		h.attempt.linked()
	}
}

// finding copies what the ledger needs out of the event.
func (h *half) finding(s *scope, subject string) Finding {
	ev, r := s.ev, h.rule
	f := Finding{
		Rule: &r.Meta, State: h.state, Tenant: strings.Clone(ev.Tenant), Subject: strings.Clone(subject),
		Name: strings.Clone(r.name.first(ev)), Severity: r.Severity, Time: ev.Time, Evidence: s.evidence(),
	}
	if f.Name == "" {
		f.Name = strings.Clone(ev.Target.Name)
	}
	for i := range r.severity {
		if r.severity[i].match.Match(s) {
			f.Severity = r.severity[i].severity
			break
		}
	}
	for i := range r.unknown {
		if u := &r.unknown[i]; h.state == Weakened && (u.match == nil || u.match.Match(s)) {
			f.Unsure, f.Lower, f.Hide = true, u.severity, u.none
			break
		}
	}
	if r.alias != nil {
		f.Alias, f.ByAlias = r.alias.of(s)
	}
	if r.regained != nil {
		f.Value = strings.Clone(r.regained.value(h.state, s))
	}
	if r.known != nil && h.state == Weakened {
		f.Known = strings.Clone(r.known.of.first(ev))
	}
	if h.state == told {
		f.Told = r.memory.told(s)
	}
	if ev.Actor.ID != f.Evidence.Actor {
		f.By = strings.Clone(ev.Actor.ID)
	}
	if h.state == Weakened || h.state == Restored {
		f.Weak, f.Strong = r.sides.of(s, h.state)
	}
	return f
}

// fallbackSubject is the key of a finding whose rule names no subject, or whose
// event lacks it: the target, else the actor, else the tenant.
func fallbackSubject(ev *ingest.Event) string {
	for _, s := range []string{ev.Target.ID, ev.Target.Name, ev.Actor.ID, ev.Actor.Name, ev.Tenant} {
		if s != "" {
			return s
		}
	}
	return "unknown"
}

func evidence(ev *ingest.Event) Evidence {
	e := Evidence{
		EventID: ev.Kind.String() + "/" + ev.ID, Kind: ev.Kind.String(), Action: strings.Clone(ev.Action),
		Actor: strings.Clone(ev.Actor.Name), Time: ev.Time, Enqueued: ev.Enqueued, Position: ev.Position,
		Record: append([]byte(nil), ev.Doc.Raw()...),
	}
	if e.Actor == "" {
		e.Actor = strings.Clone(ev.Actor.ID)
	}
	if ev.IP.IsValid() {
		e.ActorIP = ev.IP.String()
	}
	return e
}

// briefly is the evidence of an event that only feeds correlations. It may alias
// the message, which outlives the batch.
func briefly(ev *ingest.Event) Evidence {
	e := Evidence{Enqueued: ev.Enqueued, Position: ev.Position, Record: ev.Doc.Raw()}
	if ev.Repaired != 0 { // not in the message
		e.Record = append([]byte(nil), e.Record...)
	}
	return e
}
