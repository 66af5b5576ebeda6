package detectors

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// Engine evaluates a set of rules. It is immutable: a reload makes a new one.
// Match may be called concurrently, Apply not.
type Engine struct {
	rules   []*Rule
	halves  []half
	index   [][]group // by kind
	scopes  sync.Pool
	metrics *Metrics
}

// Match is one rule's selection found true of one event. It holds copies only
// and outlives the event.
type Match struct {
	Finding Finding
}

// New builds an engine from a loaded set of rules.
func New(set *Set, m *Metrics) (*Engine, error) {
	paths, err := compilePaths(set.fields)
	if err != nil {
		return nil, err
	}
	e := &Engine{rules: set.Rules, metrics: m}
	for _, r := range e.rules {
		for _, h := range r.halves {
			h.id = len(e.halves)
			e.halves = append(e.halves, h)
		}
	}
	e.index = buildIndex(e.halves)
	m.loaded(e.rules)
	e.scopes.New = func() any {
		return &scope{paths: paths, slots: make([]slot, len(paths)), seen: make([]uint32, len(e.halves))}
	}
	return e, nil
}

// compilePaths compiles the field names that rules use.
func compilePaths(fields *sigma.Fields) ([]*document.Path, error) {
	var errs []error
	paths := make([]*document.Path, 0, len(fields.Names()))
	for _, name := range fields.Names() {
		p, err := document.Compile(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("field %q: %w", name, err))
		}
		paths = append(paths, p)
	}
	return paths, errors.Join(errs...)
}

// Rules returns the engine's rules in load order.
func (e *Engine) Rules() []*Rule { return e.rules }

// Match appends to out what the rules find in ev.
func (e *Engine) Match(ev *ingest.Event, out []Match) []Match {
	s := e.scopes.Get().(*scope)
	s.begin(ev)
	for i := range e.index[ev.Kind] {
		out = e.index[ev.Kind][i].match(s, e.halves, out)
	}
	s.ev = nil
	e.scopes.Put(s)
	return out
}

// matchAll evaluates every rule without the index: the oracle that tests hold Match against.
func (e *Engine) matchAll(ev *ingest.Event, out []Match) []Match {
	s := e.scopes.Get().(*scope)
	s.begin(ev)
	for i := range e.halves {
		if e.halves[i].reads(ev.Kind) {
			out = e.halves[i].eval(s, out)
		}
	}
	s.ev = nil
	e.scopes.Put(s)
	return out
}

// Apply turns the matches of a batch into findings, inside the batch's transaction.
func (e *Engine) Apply(_ context.Context, _ *sql.Tx, matches []Match) ([]Finding, error) {
	findings := make([]Finding, 0, len(matches))
	for i := range matches {
		f := matches[i].Finding
		e.metrics.count(&f)
		findings = append(findings, f)
	}
	return findings, nil
}

// eval appends h's match of the event, if it holds.
func (h *half) eval(s *scope, out []Match) []Match {
	if h.outcome != ingest.OutcomeUnknown && s.ev.Outcome != h.outcome {
		return out
	}
	if !h.match.Match(s) {
		return out
	}
	if h.state == Restored && h.rule.halves[0].holds(s) {
		return out // an event that weakens and restores at once has weakened
	}
	return append(out, Match{h.finding(s)})
}

func (h *half) holds(s *scope) bool {
	return (h.outcome == ingest.OutcomeUnknown || s.ev.Outcome == h.outcome) && h.match.Match(s)
}

func (h *half) reads(k ingest.Kind) bool {
	for _, kind := range h.kinds {
		if kind == k {
			return true
		}
	}
	return false
}

// finding copies what the ledger needs out of the event.
func (h *half) finding(s *scope) Finding {
	ev, r := s.ev, h.rule
	f := Finding{
		Rule: &r.Meta, State: h.state, Tenant: strings.Clone(ev.Tenant),
		Subject: strings.Clone(h.subject.of(ev)), Name: strings.Clone(r.name.of(ev)),
		Severity: r.Severity, Time: ev.Time, Evidence: evidence(ev),
	}
	if f.Subject == "" {
		f.Subject = strings.Clone(fallbackSubject(ev))
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
