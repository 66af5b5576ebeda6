package detectors

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// Some feeds tell only the new value, and tell it at every save. A rule with
// safeguard.unknown says how severe a weak value is while nothing shows that
// the subject was ever strong; once a strong value from before is known, even
// one that arrives later, the weakening has the rule's full severity. With the
// level none there is no finding until then.
//
// A strong value is what restores, or what a rule says in
//
//	safeguard:
//	  known: {detection: DETECTION, key: SUBJECT, of: SUBJECT}
//
// An event of the detection makes its key known; a weakening asks for the one
// that it has at of. So an inventory is kept: the mail-flow rules that encrypt,
// the groups that a policy excludes. Where the rule has an alias, its names are
// keys, too: what was made by name may be enabled by its id.

// known is what makes a subject known to have been strong.
type known struct{ of subject }

// knows is the state of a match that only adds to what is known.
const knows State = "knows"

type knownYAML struct {
	Detection yaml.Node `yaml:"detection"`
	Key       yaml.Node `yaml:"key"`
	Of        yaml.Node `yaml:"of"`
}

// known reads safeguard.known.
func (b *builder) known(r *Rule, sr *sigma.Rule, n *yaml.Node, weakened half) error {
	if n.IsZero() {
		return nil
	}
	var y knownYAML
	if err := n.Load(&y, yaml.WithKnownFields(true)); err != nil {
		return at(sr.File, n, "safeguard.known: %v", err)
	}
	h := half{rule: r, state: knows, kinds: weakened.kinds, outcome: ingest.Success}
	r.known = new(known)
	var err error
	if r.known.of, err = b.subject(sr.File, &y.Of); err != nil {
		return err
	}
	if h.subject, err = b.subject(sr.File, &y.Key); err != nil {
		return err
	}
	if len(h.subject) == 0 || len(r.known.of) == 0 {
		return at(sr.File, n, "safeguard.known: write {detection: DETECTION, key: SUBJECT, of: SUBJECT}")
	}
	d, err := sigma.ParseDetection(sr.File, &y.Detection)
	if err != nil {
		return err
	}
	h.joined = readsRequest(d)
	if h.match, _, err = b.named(sr, d, h.kinds); err != nil {
		return err
	}
	r.halves = append(r.halves, h)
	return nil
}

// presumes reports whether what the rule finds is nothing unless something is known of
// its subject: such as a new member of a group, of whatever group.
func (r *Rule) presumes() bool {
	return slices.ContainsFunc(r.unknown, func(l level) bool { return l.none && l.match == nil })
}

// knowing holds the findings of a batch against what is known.
type knowing struct {
	e       *Engine
	tx      *sql.Tx
	matches []*Match // of the batch
	hidden  map[identity][]byte
	late    []*Match // that feed correlations now that their subject is known
}

// compareKnown settles the severity of findings of rules with an unknown level, and
// returns the matches of earlier batches that turn out to be findings.
func (e *Engine) compareKnown(ctx context.Context, tx *sql.Tx, findings []Finding, matches []*Match) ([]Finding, []*Match, error) {
	out := make([]Finding, 0, len(findings)) // one may become several
	k := &knowing{e: e, tx: tx, matches: matches}
	var outdated int64
	for _, f := range findings {
		r := e.byEntry[f.Rule.Entry]
		if r == nil || r.unknown == nil {
			out = append(out, f)
			continue
		}
		if f.State != Weakened || len(f.Strong) > 0 { // it shows a subject strong
			outdated = max(outdated, f.outdated())
		}
		settled, err := k.settle(ctx, r, f)
		if err != nil {
			return nil, nil, fmt.Errorf("compare %s with what is known: %w", f.Rule.Entry, err)
		}
		out = append(out, settled...)
	}
	if outdated == 0 {
		return out, k.late, nil
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM unknown_weak WHERE happened < $1`, outdated)
	return out, k.late, err
}

func (k *knowing) settle(ctx context.Context, r *Rule, f Finding) ([]Finding, error) {
	switch {
	case f.State == knows:
		return k.strong(ctx, f, f.calls(f.Subject))
	case f.State == Restored && r.known != nil:
		return []Finding{f}, nil
	case f.State == Restored:
		weak, err := k.strong(ctx, f, f.keys(f.Strong))
		return append(weak, f), err
	}
	var out []Finding
	if r.known == nil && len(f.Strong) > 0 {
		weak, err := k.strong(ctx, f, f.keys(f.Strong))
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

// doubt lowers a weak value's severity unless a strong one from before is known.
func (k *knowing) doubt(ctx context.Context, r *Rule, f Finding) ([]Finding, error) {
	keys := f.keys(f.Weak)
	if r.known != nil {
		keys = f.calls(f.Known)
	}
	for _, key := range keys {
		var before bool
		err := k.tx.QueryRowContext(ctx, `SELECT COUNT(*) > 0 FROM known_strong WHERE entry = $1 AND tenant = $2 AND subject = $3 AND since < $4`,
			f.Rule.Entry, f.Tenant, key, f.Time.UnixMicro()).Scan(&before)
		if err != nil || before {
			return []Finding{f}, err
		}
	}
	stored, err := storeMatch(&Match{Finding: f, feeds: k.feeds(&f)})
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		_, err = k.tx.ExecContext(ctx, `INSERT INTO unknown_weak (entry, tenant, subject, event, happened, finding) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (entry, tenant, subject, event) DO NOTHING`, f.Rule.Entry, f.Tenant, key, f.Evidence.EventID+joiner+f.Subject, f.Time.UnixMicro(), stored)
		if err != nil {
			return nil, err
		}
	}
	if f.Hide {
		return nil, nil
	}
	f.Severity = min(f.Severity, f.Lower)
	return []Finding{f}, nil
}

// feeds returns what f, which is nothing as far as is known, is to correlations.
func (k *knowing) feeds(f *Finding) []byte {
	if !f.Hide {
		return nil // it is told, and feeds, at once
	}
	if k.hidden == nil {
		k.hidden = map[identity][]byte{}
		for _, m := range k.matches {
			if m.Finding.Hide {
				k.hidden[identityOf(&m.Finding)] = m.feeds
			}
		}
	}
	return k.hidden[identityOf(f)]
}

// identity tells a finding from the others of its batch.
type identity struct {
	entry, event, subject string
	state                 State
}

func identityOf(f *Finding) identity {
	return identity{f.Rule.Entry, f.Evidence.EventID, f.Subject, f.State}
}

// strong notes that what the keys name was strong at f's time, and returns, at
// full severity, the weak values that turn out to have come after. Of a subject
// that is known to have been strong before f, none can be waiting.
func (k *knowing) strong(ctx context.Context, f Finding, keys []string) ([]Finding, error) {
	var weak []Finding
	e, tx, at := k.e, k.tx, f.Time.UnixMicro()
	for _, key := range keys {
		whole := strings.Join([]string{f.Rule.Entry, f.Tenant, key}, parted)
		if e.strongSince.since(whole, at) {
			continue
		}
		e.strongSince.note(whole, at)
		_, err := tx.ExecContext(ctx, `INSERT INTO known_strong (entry, tenant, subject, since) VALUES ($1, $2, $3, $4)
			ON CONFLICT (entry, tenant, subject) DO UPDATE SET since = excluded.since WHERE excluded.since < known_strong.since`,
			f.Rule.Entry, f.Tenant, key, at)
		if err != nil {
			return nil, err
		}
		rows, err := tx.QueryContext(ctx, `DELETE FROM unknown_weak WHERE entry = $1 AND tenant = $2 AND subject = $3 AND happened > $4 RETURNING finding`,
			f.Rule.Entry, f.Tenant, key, at)
		if err != nil {
			return nil, err
		}
		found, err := e.scanMatches(rows)
		if err != nil {
			return nil, err
		}
		for i := range found {
			m := &found[i]
			weak = append(weak, m.Finding)
			if len(m.feeds) > 0 && len(k.feeds(&m.Finding)) == 0 { // else it is of this batch
				m.seen = seen(m.Finding.Time.UnixMicro(), m.Finding.Evidence.Enqueued)
				k.late = append(k.late, m)
			}
		}
	}
	return weak, nil
}

// shown leaves out the matches that are nothing as far as is known: weak values
// of what may never have been strong, and restores that give too little back.
func (e *Engine) shown(matches []*Match, findings []Finding) []*Match {
	held := func(m *Match) bool {
		if m.Finding.Rule == nil || m.Finding.State != Restored {
			return m.Finding.Hide
		}
		r := e.byEntry[m.Finding.Rule.Entry]
		return r != nil && r.regained != nil
	}
	if !slices.ContainsFunc(matches, held) {
		return matches
	}
	idOf := func(f *Finding) identity {
		id := identityOf(f)
		if r := e.byEntry[f.Rule.Entry]; r != nil && r.alias != nil {
			id.subject = "" // it may be another by now
		}
		return id
	}
	shown := map[identity]bool{}
	for i := range findings {
		if !slices.Equal(findings[i].Strong, []string{NoSide}) {
			shown[idOf(&findings[i])] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(matches), func(m *Match) bool { return held(m) && !shown[idOf(&m.Finding)] })
}
