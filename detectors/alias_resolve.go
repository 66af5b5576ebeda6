package detectors

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// resolveAliases finds the subjects of findings of rules with alias.
func (e *Engine) resolveAliases(ctx context.Context, tx *sql.Tx, findings []Finding) ([]Finding, error) {
	out := make([]Finding, 0, len(findings))
	for _, f := range findings {
		r := e.byEntry[f.Rule.Entry]
		if r == nil || r.alias == nil || f.State != Weakened && f.State != Restored && f.State != renames || r.alias.restores && len(f.Alias) == 0 {
			out = append(out, f)
			continue
		}
		n := e.naming(tx, r, f)
		resolve := n.restored
		switch {
		case f.State == renames:
			resolve = n.renamed
		case r.alias.restores:
			resolve = n.restoresOnly
		case f.State == Weakened:
			resolve = n.weakened
		}
		if err := resolve(ctx); err != nil {
			return nil, fmt.Errorf("find the subject of %s: %w", f.Rule.Entry, err)
		}
		out = append(out, n.out...)
	}
	return out, nil
}

func (e *Engine) naming(tx *sql.Tx, r *Rule, f Finding) *naming {
	return &naming{e: e, tx: tx, rule: r, f: f, own: strings.ToLower(f.Subject), byAlias: f.ByAlias && len(f.Alias) > 0}
}

// naming finds the subjects of one finding.
type naming struct {
	e       *Engine
	tx      *sql.Tx
	rule    *Rule
	f       Finding
	own     string // its subject, case-folded
	byAlias bool
	out     []Finding
}

// weakened reports a weakening under the subject that was reported first.
func (n *naming) weakened(ctx context.Context) error {
	var known []string
	var err error
	if n.byAlias {
		known, err = n.subjects(ctx, n.f.Alias)
	} else {
		err = n.name(ctx, n.own)
	}
	if err != nil {
		return err
	}
	reported, err := n.reportedAs(ctx, n.own)
	if err == nil && len(reported) == 0 && n.byAlias {
		reported, err = n.reportedAs(ctx, known...)
	}
	if err != nil {
		return err
	}
	first := len(reported) == 0
	if first {
		reported = []string{n.own}
	}
	n.out = slices.Insert(n.out, 0, n.about(n.f, reported[0]))
	if err := n.link(ctx, n.own, reported[0]); err != nil || !n.byAlias {
		return err
	}
	if err := n.name(ctx, reported[0]); err != nil || !first {
		return err
	}
	if len(known) > 0 {
		return n.link(ctx, known[0], n.own) // that one was never weak
	}
	return n.keep(ctx, &n.f, n.f.Alias...)
}

// restored restores the subject, those that are known by its names, if it may
// be known by these only, what was known by names that it had before, and what any of
// them was reported as.
func (n *naming) restored(ctx context.Context) error {
	subjects := []string{n.own}
	var names []string
	if n.byAlias {
		known, err := n.subjects(ctx, n.f.Alias)
		if err != nil {
			return err
		}
		subjects, names = append(subjects, known...), slices.Clone(n.f.Alias)
	} else if err := n.name(ctx, n.own); err != nil {
		return err
	}
	was, err := n.formerly(ctx)
	if err != nil {
		return err
	}
	if len(was) > 0 {
		known, err := n.subjects(ctx, was)
		if err != nil {
			return err
		}
		subjects, names = slices.Concat(subjects, was, known), append(names, was...)
	}
	reported, err := n.reportedAs(ctx, subjects...)
	if err != nil {
		return err
	}
	subjects = unique(append(subjects, reported...))
	for _, s := range subjects[1:] {
		n.out = append(n.out, n.about(n.f, s))
	}
	n.out = append(n.out, n.f)
	for _, s := range subjects {
		names = append(names, itself(s))
	}
	return n.keep(ctx, &n.f, unique(names)...)
}

// restoresOnly resolves a finding of a rule in which only what was weakened is
// known by its names, and what is known by them is restored.
func (n *naming) restoresOnly(ctx context.Context) error {
	switch {
	case n.f.State == Weakened:
		err := n.name(ctx, n.own)
		n.out = slices.Insert(n.out, 0, n.f)
		return err
	case !n.byAlias:
		n.out = append(n.out, n.f)
		return nil
	}
	known, err := n.subjects(ctx, n.f.Alias)
	if err != nil {
		return err
	}
	for _, s := range known {
		if s != n.own {
			n.out = append(n.out, n.about(n.f, s))
		}
	}
	n.out = append(n.out, n.f)
	return n.keep(ctx, &n.f, n.f.Alias...)
}

// about makes a finding one of a subject, in the spelling of the one at hand.
func (n *naming) about(f Finding, subject string) Finding {
	if subject == n.own {
		subject = n.f.Subject
	}
	f.Subject = subject
	return f
}

// unique leaves of texts the first of each.
func unique(texts []string) []string {
	out := make([]string, 0, len(texts))
	for _, text := range texts {
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}
