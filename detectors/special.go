package detectors

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
)

// Some correlations ask what no window can tell. Their documents name rules, a
// group and a timespan like any other, and one of these keys of safeguard says
// how they are judged:
//
//	while_open: true   the last rule's events while one of the others' is open: see whileOpen
//	raises: true       violations by somebody of whom one of the rules tells are one step more severe: see raising
//
// They name rules and entries, not other correlations, and none names them.

// special is how such a correlation is judged, in the transaction of each batch.
type special interface {
	// judge takes what the batch fed it, and what the batch is found to be so
	// far, and returns what more there is.
	judge(ctx context.Context, tx *sql.Tx, fed []fed, findings []Finding) ([]Finding, error)
}

// fed is one entry of what a match fed.
type fed struct {
	feedMeta
	rule    string // as the correlation names it
	thing   string // tenant and group
	value   string
	subject string
	name    string
	entry   string
	hash    uint64 // of thing and value, for familiar
}

// special returns how c is judged if not by windows, or nil.
func (e *Engine) special(c *correlation) special {
	switch {
	case c.key == nil:
	case c.key.WhileOpen:
		w := newWhileOpen(c, e.familiar)
		e.caches = append(e.caches, &w.seen)
		return w
	case c.key.Raises:
		return &raising{correlation: c, engine: e}
	}
	return nil
}

func (s *correlationKey) special() bool { return s != nil && (s.WhileOpen || s.Raises) }

// compares reports whether unseen: FIELD is of the events of a rule.
func (s *correlationKey) compares(c *sigma.Correlation, rule string) bool {
	return rule == s.Known || rule == c.Rules[len(c.Rules)-1]
}

// checkSpecial refuses what only windows can do.
func (l *linker) checkSpecial(c *correlation) error {
	for _, name := range c.doc.Rules {
		inner := l.inner[name]
		switch {
		case inner == nil:
		case inner.key.special():
			return c.doc.Errorf("the correlation names %q, which no correlation can: name the rules that it names", name)
		case c.key.special():
			return c.doc.Errorf("the correlation names %q, another correlation: name rules and entries only", name)
		}
	}
	return nil
}

// judgeSpecial has the special correlations judge a batch.
func (e *Engine) judgeSpecial(ctx context.Context, tx *sql.Tx, matches []*Match, findings []Finding) ([]Finding, error) {
	if len(e.specials) == 0 {
		return findings, nil
	}
	byID := map[uint64][]fed{}
	for _, m := range matches {
		if err := e.takeSpecial(byID, m); err != nil {
			return nil, err
		}
	}
	found := findings
	for _, c := range e.specialOrder {
		more, err := e.specials[c.id].judge(ctx, tx, byID[c.id], findings)
		if err != nil {
			return nil, fmt.Errorf("correlation %s: %w", c.rule.Entry, err)
		}
		found = append(found, more...)
	}
	return found, nil
}

func (e *Engine) takeSpecial(byID map[uint64][]fed, m *Match) error {
	if len(m.feeds) == 0 {
		return nil
	}
	r := reader{b: m.feeds}
	bare := r
	meta, read := feedMeta{}, false
	r.block()
	for len(r.b) > 0 {
		entry := r.entry()
		if r.bad {
			return errFeed
		}
		c := e.specialByID[entry.to]
		if c == nil {
			continue
		}
		if !read {
			meta, read = bare.meta(), true
			meta.event = storable(meta.event)
		}
		f := fed{feedMeta: meta, rule: c.doc.Rules[entry.place], thing: storable(string(entry.key)), value: storable(strings.TrimPrefix(string(entry.value), "\x00"))}
		f.subject, f.name, f.entry, _ = entry.about()
		f.hash = e.familiar.hash(entry.head())
		byID[entry.to] = append(byID[entry.to], f)
	}
	return nil
}

// addSpecial takes the special correlations of a set, and returns the others.
func (e *Engine) addSpecial(all []*correlation) []*correlation {
	e.specials, e.specialByID = map[uint64]special{}, map[uint64]*correlation{}
	return slices.DeleteFunc(slices.Clone(all), func(c *correlation) bool {
		s := e.special(c)
		if s != nil {
			e.specials[c.id], e.specialByID[c.id] = s, c
			e.specialOrder = append(e.specialOrder, c)
		}
		return s != nil
	})
}

// correlates reports whether a finding is a correlation's.
func (e *Engine) correlates(f *Finding) bool {
	r := e.byEntry[f.Rule.Entry]
	return r == nil || r.correlation != nil
}
