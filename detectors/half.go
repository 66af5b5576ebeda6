package detectors

import (
	"slices"
	"strings"

	"phiwatch/detectors/fields"
	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// half is one of a rule's detections, compiled, and what it means when it holds. Most
// rules have two, hence the name: what weakens and what restores. Some have more, which
// only tell something that these are held against.
type half struct {
	rule         *Rule
	state        State // what a match says: Weakened, Restored, Incident, or knows, forgets, renames, tellsValues
	kinds        []ingest.Kind
	outcome      ingest.Outcome // OutcomeUnknown: any
	subject      subject
	match        *sigma.Matcher
	joined       bool            // reads the request of an Activity operation, which may come before the outcome
	view         *fields.Mapping // of a rule without a safeguard key: what its field names mean
	feeders      []*feeder
	silent       bool  // makes no findings of its own: only correlations name the rule
	attempt      *half // the same, where the operation failed; nil: no correlation asks for it
	wantsSubject bool  // a correlation asks for the subject
}

// matched appends what h's detection, which holds for the event, comes to;
// weakens is whether that of what h restores holds, too.
func (h *half) matched(s *scope, weakens bool, out []Match) []Match {
	role := stands
	switch {
	case h.outcome == ingest.OutcomeUnknown || s.ev.Outcome == h.outcome:
	case h.joined && s.ev.Kind == ingest.AzureActivity && s.ev.Outcome == ingest.OutcomeUnknown:
		role = request
	case h.attempt != nil && len(h.attempt.feeders) > 0 && s.ev.Outcome == ingest.Failure:
		return h.attempt.matched(s, false, out)
	default:
		return out
	}
	var weakened []string // an event that weakens and restores a subject at once has weakened it
	if weakens {
		w := h.rule.weakens()
		if weakened = w.subjects(s); h.subject.same(w.subject) {
			return out
		}
	}
	failed := h.state == Weakened && h.outcome == ingest.OutcomeUnknown && s.ev.Outcome == ingest.Failure
	feeds := len(h.feeders) > 0 && !failed // which has weakened nothing
	if h.silent && !feeds {
		return out
	}
	for _, subject := range h.subjects(s) {
		if slices.ContainsFunc(weakened, func(w string) bool { return strings.EqualFold(w, subject) }) {
			continue
		}
		if h.silent && role == stands {
			s.feed.collect(h, s, subject) // for Match's collected
			continue
		}
		var m *Match
		out, m = appendMatch(out)
		m.role, m.silent = role, h.silent
		if feeds {
			m.feeds, m.seen = h.feed(m.feeds, s, subject), seen(s.ev.Time.UnixMicro(), s.ev.Enqueued)
		}
		if h.silent && len(m.feeds) == 0 {
			out = out[:len(out)-1]
			continue
		}
		h.conclude(&m.Finding, s, subject)
		if role == request {
			m.operation = operationOf(s)
			if h.attempt != nil {
				m.failed = h.attempt.feed(nil, s, subject)
			}
		}
	}
	return out
}

// appendMatch appends an empty match to out, but for the memory of its feeds.
func appendMatch(out []Match) ([]Match, *Match) {
	n := len(out)
	out = slices.Grow(out, 1)[:n+1]
	m := &out[n]
	feeds := m.feeds[:0]
	*m = Match{}
	m.feeds = feeds
	return out, m
}

// subjects returns what a match of the event is about, at least one.
func (h *half) subjects(s *scope) []string {
	if h.silent && !h.wantsSubject {
		return noSubject
	}
	if all := h.subject.of(s); len(all) > 0 {
		return all
	}
	return s.pad.list(fallbackSubject(s.ev))
}

// noSubject is the subject of what nobody asks for its subject.
var noSubject = []string{""}

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

// weakening returns the half that finds what h restores; nil if h restores nothing.
func (h *half) weakening() *half {
	if h.state != Restored {
		return nil
	}
	return h.rule.weakens()
}

func (h *half) reads(k ingest.Kind) bool { return slices.Contains(h.kinds, k) }

// attempted returns the half that feeds correlations what h looks for where it
// failed, or nil if h does not ask for success as a rule with a safeguard key does.
func (h *half) attempted() *half {
	if h.attempt == nil && h.outcome == ingest.Success && h.view == nil {
		h.attempt = &half{rule: h.rule, state: h.state, kinds: h.kinds, outcome: ingest.Failure, subject: h.subject, match: h.match, silent: true}
	}
	return h.attempt
}

// linked notes what the correlations that name h ask for.
func (h *half) linked() {
	h.wantsSubject = slices.ContainsFunc(h.feeders, func(f *feeder) bool { return f.reads(findingSubject) })
	if h.attempt != nil {
		h.attempt.linked()
	}
}
