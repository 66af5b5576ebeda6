package detectors

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// knowing holds the findings of a batch against what is known.
type knowing struct {
	e       *Engine
	tx      *sql.Tx
	matches []*Match // of the batch
	hidden  map[identity][]byte
	late    []*Match // that feed correlations now that their subject is known
}

// compareKnown settles the severity of findings of rules with an unknown level, and
// returns the matches of earlier batches that turn out to be findings. What only
// tells what is known comes first, so that less is judged twice.
func (e *Engine) compareKnown(ctx context.Context, tx *sql.Tx, findings []Finding, matches []*Match) ([]Finding, []*Match, error) {
	out := make([]Finding, 0, len(findings)) // one may become several
	k := &knowing{e: e, tx: tx, matches: matches}
	var outdated int64
	for _, tells := range [...]bool{true, false} {
		for i := range findings {
			f := &findings[i]
			r := e.byEntry[f.Rule.Entry]
			switch {
			case tells != f.State.onlyTells():
				continue
			case tells && (r == nil || r.unknown == nil):
				continue // nothing is asked of it
			case r == nil || r.unknown == nil:
				out = append(out, *f)
				continue
			}
			if f.State != Weakened || len(f.Strong) > 0 { // it tells what is known
				outdated = max(outdated, f.outdated())
			}
			settled, err := k.settle(ctx, r, *f)
			if err != nil {
				return nil, nil, fmt.Errorf("compare %s with what is known: %w", f.Rule.Entry, err)
			}
			out = append(out, settled...)
		}
	}
	if outdated == 0 {
		return out, k.late, nil
	}
	return out, k.late, k.prune(ctx, outdated)
}

// onlyTells reports whether what has the state is no finding, but tells what is known.
func (s State) onlyTells() bool { return s == knows || s == forgets || s == renames }

// settle keeps what a finding tells of what is known, and returns it as severe as that
// makes it, and the weak values of before that turn out to be something else for it.
func (k *knowing) settle(ctx context.Context, r *Rule, f Finding) ([]Finding, error) {
	switch {
	case f.State == renames:
		return k.rejudge(ctx, r, &f, []string{f.Renamed})
	case f.State.onlyTells():
		return k.note(ctx, r, &f, f.namesOf(f.Subject))
	case f.State == Restored && r.known != nil:
		return []Finding{f}, nil
	case f.State == Restored:
		weak, err := k.note(ctx, r, &f, f.keys(f.Strong))
		return append(weak, f), err
	}
	var out []Finding
	if r.known == nil && len(f.Strong) > 0 {
		weak, err := k.note(ctx, r, &f, f.keys(f.Strong))
		if err != nil {
			return nil, err
		}
		out = weak
	}
	if f.Unsure {
		weak, err := k.doubt(ctx, r, f)
		return append(out, weak...), err
	}
	return append(out, f), nil
}

// keys are under what a finding's subject is known: by itself, or each of some
// sides of it.
func (f *Finding) keys(sides []string) []string {
	subject := strings.ToLower(f.Subject)
	if len(sides) == 0 {
		return []string{subject}
	}
	keys := make([]string, len(sides))
	for i, side := range sides {
		keys[i] = subject + joiner + side
	}
	return keys
}

// namesOf are a key and the other names under which it is known, case-folded.
func (f *Finding) namesOf(key string) []string {
	return unique(append([]string{strings.ToLower(key)}, f.Alias...))
}

// asks are the keys of which one must be known for a weak value to be a weakening.
func (f *Finding) asks(r *Rule) []string {
	if r.known != nil {
		return f.namesOf(f.Known)
	}
	return f.keys(f.Weak)
}

// doubt judges a weak value of what may never have been strong. It is kept, for as
// long as records may be late that tell otherwise.
func (k *knowing) doubt(ctx context.Context, r *Rule, f Finding) ([]Finding, error) {
	known, err := k.known(ctx, r, &f)
	if err != nil {
		return nil, err
	}
	if known && !r.mayForget() {
		return []Finding{f}, nil
	}
	w := weakValue{Match: Match{Finding: f, feeds: k.feeds(&f)}}
	if known {
		w.turns = 1
	}
	if err := k.wait(ctx, r, &w); err != nil {
		return nil, err
	}
	return w.findings(), nil
}

// rejudge judges the weak values after f again, of which f tells something new.
func (k *knowing) rejudge(ctx context.Context, r *Rule, f *Finding, keys []string) ([]Finding, error) {
	if r.follows() {
		var err error
		who := &renamings{k.tx, f}
		if keys, err = who.later(ctx, keys...); err != nil {
			return nil, err
		}
	}
	waiting, err := k.waiting(ctx, f, keys)
	if err != nil {
		return nil, err
	}
	var out []Finding
	for i := range waiting {
		w := &waiting[i]
		known, err := k.known(ctx, r, &w.Finding)
		if err != nil {
			return nil, err
		}
		if known == w.known() {
			continue
		}
		w.turns++
		if err := k.turn(ctx, w); err != nil {
			return nil, err
		}
		for _, told := range w.findings() {
			if told.State == Restored { // it is f that shows it
				told.Evidence.Action, told.Evidence.Actor, told.Evidence.ActorIP = f.Evidence.Action, f.Evidence.Actor, f.Evidence.ActorIP
			}
			out = append(out, told)
		}
		if known && len(w.feeds) > 0 && len(k.feeds(&w.Finding)) == 0 { // else it is of this batch
			m := &w.Match
			m.seen = seen(m.Finding.Time.UnixMicro(), m.Finding.Evidence.Enqueued)
			k.late = append(k.late, m)
		}
	}
	return out, nil
}

// known reports whether what a weak value asks for was known when it came.
func (k *knowing) known(ctx context.Context, r *Rule, f *Finding) (bool, error) {
	keys := f.asks(r)
	var spells []spell
	for _, key := range keys {
		spells = append(spells, spell{key, f.Time.UnixMicro()})
	}
	if r.follows() {
		who := &renamings{k.tx, f}
		formerly, err := who.formerly(ctx, keys)
		if err != nil {
			return false, err
		}
		spells = append(spells, formerly...)
	}
	var notes []note
	for _, s := range spells {
		var err error
		if notes, err = k.before(ctx, f, s, notes); err != nil {
			return false, err
		}
		if len(notes) > 0 && !r.mayForget() {
			return true, nil
		}
	}
	slices.SortFunc(notes, compareNotes)
	return anyKnown(notes), nil
}
