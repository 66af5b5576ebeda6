package detectors

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"

	"phiwatch/detectors/fields"
	"phiwatch/ingest"
)

// Engine evaluates a set of rules, which do not change: a reload makes a new
// one. Match may be called concurrently, Apply not.
type Engine struct {
	rules    []*Rule
	byEntry  map[string]*Rule
	halves   []half
	programs []program // by kind
	plan     *ingest.Plan
	joins    *joins
	windows  *correlator // nil: no correlations

	correlations []*correlation
	fields       *fields.Table

	specials     map[uint64]special
	specialByID  map[uint64]*correlation
	specialOrder []*correlation

	strongSince durable // of rules with unknown: what is known of a subject
	steady      steady  // of rules with memory
	familiar    *familiar
	caches      []cache // of these and of specials

	scopes  sync.Pool
	metrics *Metrics
}

// cache is what is known of the database without asking. What a transaction adds
// counts from commit on; begin forgets what was not committed.
type cache interface {
	begin()
	commit()
}

// Match is what one event means for one rule, for Apply to judge: a finding, what it
// feeds correlations, or both. It outlives the event: all but the record is copied.
type Match struct {
	Finding   Finding
	role      role
	operation string         // of a request or a result: what they are joined by
	outcome   ingest.Outcome // of a result
	feeds     []byte         // what it is to correlations
	failed    []byte         // of a request: the feeds instead, if its operation failed
	seen      int64          // of what it feeds: how far time had come, unix microseconds
	silent    bool           // it only feeds
}

// Reuse lets go of what matches that are applied hold, and returns their memory
// for further ones, unless it is much.
func Reuse(matches []Match) []Match {
	if cap(matches) > 1<<13 {
		return nil
	}
	for i := range matches {
		matches[i] = Match{feeds: matches[i].feeds[:0]}
	}
	return matches[:0]
}

// New builds an engine from a loaded set of rules.
func New(set *Set, m *Metrics) (*Engine, error) {
	table, err := fields.Compile(set.fields, set.lists)
	if err != nil {
		return nil, err
	}
	e := &Engine{familiar: newFamiliar(), rules: set.Rules, correlations: set.correlations, byEntry: map[string]*Rule{}, fields: table, metrics: m}
	e.caches = []cache{&e.strongSince, &e.steady, e.familiar}
	for _, r := range e.rules {
		e.byEntry[r.Entry] = r
		e.halves = append(e.halves, r.halves...)
	}
	for _, r := range set.silent {
		e.byEntry[r.Entry] = r
		e.halves = append(e.halves, r.halves...)
	}
	if windowed := e.addSpecial(set.correlations); len(windowed) > 0 {
		e.windows = newCorrelator(windowed, m)
	}
	for i := range e.halves {
		e.halves[i].linked()
	}
	e.programs, e.plan = buildPrograms(e.halves, table)
	e.joins = newJoins(e.halves, set.fields)
	e.scopes.New = func() any {
		s := newScope(table)
		s.metrics, s.familiar = m, e.familiar
		return s
	}
	m.loaded(e.rules)
	return e, nil
}

// Rules returns the engine's rules in load order.
func (e *Engine) Rules() []*Rule { return e.rules }

// Plan returns what a Decoder is to read for Match: with it each record is
// walked once. Events that were decoded otherwise match alike.
func (e *Engine) Plan() *ingest.Plan { return e.plan }

// Match appends to out what the rules find in ev. Memory of what out holds
// beyond its length is used again.
func (e *Engine) Match(ev *ingest.Event, out []Match) []Match {
	s := e.scopes.Get().(*scope)
	p := &e.programs[ev.Kind]
	s.begin(ev, p)
	s.hits = s.found(s.hits[:0])
	for n, i := range s.hits {
		weakens := p.weakens[i] >= 0 && slices.Contains(s.hits[:n], p.weakens[i])
		out = e.halves[p.halves[i]].matched(s, weakens, out)
	}
	out = s.collected(out)
	if ev.Kind == ingest.AzureActivity {
		out = e.joins.result(s, out)
	}
	s.end()
	e.scopes.Put(s)
	return out
}

// matchAll evaluates every rule without index or extractor: the oracle that
// tests hold Match against.
func (e *Engine) matchAll(ev *ingest.Event, out []Match) []Match {
	s := newScope(e.fields)
	s.begin(ev, noProgram(e.fields.Len()))
	for i := range e.halves {
		if h := &e.halves[i]; h.reads(ev.Kind) && h.match.Match(s) {
			w := h.weakening()
			out = h.matched(s, w != nil && w.reads(ev.Kind) && w.match.Match(s), out)
		}
	}
	out = s.collected(out)
	if ev.Kind == ingest.AzureActivity {
		out = e.joins.result(s, out)
	}
	return out
}

// Apply turns the matches of a batch into findings, inside the batch's
// transaction: requests are joined with their results, values held against what
// they were, subjects found by other names, weak values held against what is known
// of their subject and restores against what was lost, and correlations judged. Each
// step takes findings and may drop, change and add some. When the transaction is not
// committed, nothing of it counts; the next Apply notices. Processes that share a
// database apply one after the other.
func (e *Engine) Apply(ctx context.Context, tx *sql.Tx, matches []Match) ([]Finding, error) {
	e.begin()
	if len(matches) == 0 {
		return nil, nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE correlation_head SET seq = seq WHERE one = 1`); err != nil { // for its lock
		return nil, fmt.Errorf("wait for other processes: %w", err)
	}
	certain, err := e.join(ctx, tx, matches)
	if err != nil {
		return nil, err
	}
	findings := make([]Finding, 0, len(certain))
	for _, m := range certain {
		if !m.silent {
			findings = append(findings, m.Finding)
		}
	}
	if findings, err = e.compareMemory(ctx, tx, findings); err != nil {
		return nil, err
	}
	if findings, err = e.resolveAliases(ctx, tx, findings); err != nil {
		return nil, err
	}
	findings, late, err := e.compareKnown(ctx, tx, findings, certain)
	if err != nil {
		return nil, err
	}
	if findings, err = e.holdRestores(ctx, tx, findings); err != nil {
		return nil, err
	}
	// Correlations are fed by matches, of which those count whose finding still does.
	certain = e.dropHidden(certain, findings)
	certain = append(certain, late...)
	if e.windows != nil {
		found, err := e.windows.apply(sqlJournal{ctx, tx}, certain)
		if err != nil {
			return nil, err
		}
		findings = append(findings, found...)
	}
	if findings, err = e.judgeSpecial(ctx, tx, certain, findings); err != nil {
		return nil, err
	}
	for i := range findings {
		e.metrics.count(&findings[i])
	}
	return findings, nil
}

func (e *Engine) begin() {
	for _, c := range e.caches {
		c.begin()
	}
}

// Committed tells that the transaction of the last Apply was committed. A caller
// that does not tell loses nothing but time.
func (e *Engine) Committed() {
	for _, c := range e.caches {
		c.commit()
	}
}
