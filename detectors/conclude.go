package detectors

import (
	"phiwatch/detectors/fields"
	"phiwatch/ingest"
)

// conclude makes f what the match of h says of subject.
func (h *half) conclude(f *Finding, s *scope, subject string) {
	ev, r, k := s.ev, h.rule, &s.keep
	f.Rule, f.State, f.Severity, f.Time, f.Evidence = &r.Meta, h.state, r.Severity, ev.Time, *s.evidence()
	f.Tenant, f.Subject, f.Name = k.text(ev.Tenant), k.text(subject), k.text(r.name.first(s))
	if f.Name == "" {
		f.Name = k.text(ev.Target.Name)
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
	r.trusted.spare(f, ev)
	if r.alias != nil {
		f.Alias, f.ByAlias = r.alias.of(s)
	}
	if h.state == renames {
		f.Renamed = k.text(fields.Lower(r.alias.to.first(s)))
	}
	if r.regained != nil {
		f.Value = k.text(r.regained.value(h.state, s))
	}
	if r.known != nil && h.state == Weakened {
		f.Known = k.text(r.known.of.first(s))
	}
	if h.state == tellsValues {
		f.Told = r.memory.told(s)
	}
	if ev.Actor.ID != f.Evidence.Actor {
		f.By = k.text(ev.Actor.ID)
	}
	switch h.state {
	case Weakened, Restored:
		f.Weak, f.Strong = r.sides.of(s, h.state, subject)
	case knows:
		f.Weak = h.ways(s, subject)
	case forgets:
		f.Strong = h.ways(s, subject)
	}
}

// evidence returns what findings show of the event, made once for all of them.
func (s *scope) evidence() *Evidence {
	if !s.proven {
		s.keep.evidence(&s.proof, s.ev, s.address())
		s.proven = true
	}
	return &s.proof
}

func (k *keeper) evidence(e *Evidence, ev *ingest.Event, address string) {
	e.point(ev)
	e.EventID, e.Kind, e.Action = k.text(ev.Kind.String(), "/", ev.ID), ev.Kind.String(), k.text(ev.Action)
	e.Actor, e.Time = k.text(ev.Actor.Name), ev.Time
	if e.Actor == "" {
		e.Actor = k.text(ev.Actor.ID)
	}
	e.ActorIP = k.text(address)
}

// point makes e, which is empty, the evidence of an event that only feeds
// correlations: where it stands, and its record, which aliases the message unless
// it was repaired.
func (e *Evidence) point(ev *ingest.Event) {
	e.Enqueued, e.Position, e.Record = ev.Enqueued, ev.Position, ev.Doc.Raw()
	if ev.Repaired != 0 { // not in the message
		e.Record = append([]byte(nil), e.Record...)
	}
}
