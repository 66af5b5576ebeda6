package detectors

import (
	"cmp"
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
			case tells != f.onlyTells():
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

// onlyTells reports whether a finding is none, but tells what is known.
func (f *Finding) onlyTells() bool {
	return f.State == knows || f.State == forgets || f.State == renames
}

func (k *knowing) settle(ctx context.Context, r *Rule, f Finding) ([]Finding, error) {
	switch {
	case f.State == renames:
		return k.rejudge(ctx, r, &f, []string{f.Renamed})
	case f.onlyTells():
		return k.note(ctx, r, &f, f.calls(f.Subject))
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

// calls are the key and the other names under which it is known, case-folded.
func (f *Finding) calls(key string) []string {
	return unique(append([]string{strings.ToLower(key)}, f.Alias...))
}

// asks are the keys of which one must be known for a weak value to be a weakening.
func (f *Finding) asks(r *Rule) []string {
	if r.known != nil {
		return f.calls(f.Known)
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
	if known && !r.forgets() {
		return []Finding{f}, nil
	}
	w := weakValue{Match: Match{Finding: f, feeds: k.feeds(&f)}}
	if known {
		w.turns = 1
	}
	if err := k.wait(ctx, r, &w); err != nil {
		return nil, err
	}
	return w.told(), nil
}

// weakValue is a weak value of a rule with unknown, as it is judged.
type weakValue struct {
	Match
	turns int // how often the judgement changed; odd: the subject is known
}

// known reports whether the subject is known.
func (w *weakValue) known() bool { return w.turns%2 == 1 }

// told returns what is told of the value. What people have heard of is taken back,
// as one that gives no side back.
func (w *weakValue) told() []Finding {
	f := w.Finding
	f.Revision = w.turns
	switch {
	case w.known():
	case !f.Hide:
		f.Severity = min(f.Severity, f.Lower)
	case w.turns == 0:
		return nil
	default:
		f.State, f.Weak, f.Strong = Restored, nil, []string{NoSide}
	}
	return []Finding{f}
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
		for _, told := range w.told() {
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

// note is that something is known in a way, or is so no longer.
type note struct {
	way       string // empty: there is one only
	at        int64
	forgotten bool
}

// everyWay is the way of a note by which all of them are forgotten.
const everyWay = "*"

// notes returns what f tells of each of its keys.
func (f *Finding) notes(r *Rule) []note {
	n := note{at: f.Time.UnixMicro(), forgotten: f.State == forgets}
	ways := f.Weak
	if n.forgotten {
		ways, n.way = f.Strong, everyWay
	}
	if f.State != knows && !n.forgotten || len(ways) == 0 {
		return []note{n}
	}
	out := make([]note, len(ways))
	for i, way := range ways {
		out[i] = n
		out[i].way = way
	}
	return out
}

// anyKnown reports whether something is known after notes, in the order of time.
func anyKnown(notes []note) bool {
	ways := map[string]bool{}
	for _, n := range notes {
		switch {
		case !n.forgotten:
			ways[n.way] = true
		case n.way == everyWay:
			clear(ways)
		default:
			delete(ways, n.way)
		}
	}
	return len(ways) > 0
}

// compareNotes orders notes by time; of one instant, what makes known counts.
func compareNotes(a, b note) int {
	switch {
	case a.at != b.at || a.forgotten == b.forgotten:
		return cmp.Compare(a.at, b.at)
	case a.forgotten:
		return -1
	}
	return 1
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
	}
	slices.SortFunc(notes, compareNotes)
	return anyKnown(notes), nil
}
