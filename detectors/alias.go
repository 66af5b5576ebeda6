package detectors

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/sigma"
)

// Some events know a subject by another name: a policy that is made again has
// another id but the old name, the cmdlet that removes a hold does not know the
// case. A rule says so with
//
//	safeguard:
//	  alias: {names: [SUBJECT, …], used: DETECTION}
//
// The subject of an event is known by each of the names from then on. An event
// of the detection used is about the subjects that are known by its names. If
// it comes first it is kept until one is, a restore for as long as records may
// be late; a weakening is about a subject of its own until then, whose violation
// closes when it turns out to be the other's.
//
// A name may be that of many, as a site is of its files. Where the detection
// used does nothing but restore, only: restored makes that only what was weakened
// is known by its names: most files never are.
type alias struct {
	names    []subject
	used     *sigma.Matcher
	restores bool // what is used never weakens
}

type aliasYAML struct {
	Names []yaml.Node `yaml:"names"`
	Used  yaml.Node   `yaml:"used"`
	Only  string      `yaml:"only"`
}

// alias reads safeguard.alias.
func (b *builder) alias(sr *sigma.Rule, n *yaml.Node) (*alias, error) {
	if n.IsZero() {
		return nil, nil
	}
	var y aliasYAML
	if err := n.Load(&y, yaml.WithKnownFields(true)); err != nil {
		return nil, at(sr.File, n, "safeguard.alias: %v", err)
	}
	if len(y.Names) == 0 || y.Used.IsZero() {
		return nil, at(sr.File, n, "safeguard.alias: write {names: [SUBJECT], used: DETECTION}")
	}
	if y.Only != "" && y.Only != string(Restored) {
		return nil, at(sr.File, n, "safeguard.alias: only: %q: use restored, or leave it out", y.Only)
	}
	a := &alias{restores: y.Only != ""}
	for i := range y.Names {
		s, err := b.subject(sr.File, &y.Names[i])
		if err != nil {
			return nil, err
		}
		a.names = append(a.names, s)
	}
	var err error
	a.used, err = b.detection(sr, &y.Used)
	return a, err
}

// of returns the other names that an event has for its subject, case-folded,
// and whether they may be all it knows.
func (a *alias) of(s *scope) (names []string, used bool) {
	for _, name := range a.names {
		if text := strings.Clone(strings.ToLower(name.first(s))); text != "" && !slices.Contains(names, text) {
			names = append(names, text)
		}
	}
	return names, a.used.Match(s)
}

// resolve finds the subjects of findings that know them by another name.
func (e *Engine) resolve(ctx context.Context, tx *sql.Tx, findings []Finding) ([]Finding, error) {
	out := make([]Finding, 0, len(findings))
	for _, f := range findings {
		if len(f.Alias) == 0 || f.State != Weakened && f.State != Restored {
			out = append(out, f)
			continue
		}
		resolved, err := e.resolveOne(ctx, tx, f)
		if err != nil {
			return nil, fmt.Errorf("find the subject of %s: %w", f.Rule.Entry, err)
		}
		out = append(out, resolved...)
	}
	return out, nil
}

func (e *Engine) resolveOne(ctx context.Context, tx *sql.Tx, f Finding) ([]Finding, error) {
	var others []Finding
	if f.ByAlias {
		subjects, err := subjectsNamed(ctx, tx, f)
		if err != nil {
			return nil, err
		}
		for _, subject := range subjects {
			if strings.EqualFold(subject, f.Subject) {
				continue
			}
			other := f
			other.Subject = subject
			others = append(others, other)
		}
	}
	switch {
	case f.State == Weakened && len(others) > 0:
		return others[:1], nil
	case f.State == Restored && f.ByAlias:
		return append(others, f), e.await(ctx, tx, f)
	case f.State == Restored && e.byEntry[f.Rule.Entry].alias.restores:
		return []Finding{f}, nil
	}
	waiting, err := e.name(ctx, tx, f)
	if err == nil && f.ByAlias {
		err = e.await(ctx, tx, f)
	}
	return append([]Finding{f}, waiting...), err
}

// name makes f's subject known by its names and returns what waited for that.
func (e *Engine) name(ctx context.Context, tx *sql.Tx, f Finding) ([]Finding, error) {
	var out []Finding
	for _, name := range f.Alias {
		_, err := tx.ExecContext(ctx, `INSERT INTO aliases (entry, tenant, name, subject) VALUES ($1, $2, $3, $4)
			ON CONFLICT (entry, tenant, name, subject) DO NOTHING`, f.Rule.Entry, f.Tenant, name, strings.ToLower(f.Subject))
		if err != nil {
			return nil, err
		}
		rows, err := tx.QueryContext(ctx, `SELECT finding FROM alias_waiting WHERE entry = $1 AND tenant = $2 AND name = $3 ORDER BY happened, event`,
			f.Rule.Entry, f.Tenant, name)
		if err != nil {
			return nil, err
		}
		waiting, err := e.scanFindings(rows)
		if err != nil {
			return nil, err
		}
		for _, w := range waiting {
			if !strings.EqualFold(w.Subject, f.Subject) {
				out = append(out, w.renamed(f.Subject)...)
			}
		}
		if len(waiting) == 0 {
			continue
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM alias_waiting WHERE entry = $1 AND tenant = $2 AND name = $3 AND happened < $4`,
			f.Rule.Entry, f.Tenant, name, f.Time.Add(-lateness).UnixMicro())
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// renamed makes a finding that of another subject, and a weakening that of its
// own no longer.
func (f Finding) renamed(subject string) []Finding {
	other := f
	other.Subject = subject
	if f.State != Weakened {
		return []Finding{other}
	}
	own := f
	own.State, own.Weak, own.Time = Restored, nil, f.Time.Add(time.Microsecond)
	own.Evidence.EventID += " of " + strings.ToLower(subject)
	return []Finding{other, own}
}

// subjectsNamed returns the subjects that are known by one of f's names.
func subjectsNamed(ctx context.Context, tx *sql.Tx, f Finding) ([]string, error) {
	var out []string
	for _, name := range f.Alias {
		rows, err := tx.QueryContext(ctx, `SELECT subject FROM aliases WHERE entry = $1 AND tenant = $2 AND name = $3 ORDER BY subject`,
			f.Rule.Entry, f.Tenant, name)
		if err != nil {
			return nil, err
		}
		found, err := scanTexts(rows)
		if err != nil {
			return nil, err
		}
		for _, subject := range found {
			if !slices.Contains(out, subject) {
				out = append(out, subject)
			}
		}
	}
	return out, nil
}

func scanTexts(rows *sql.Rows) ([]string, error) {
	defer rows.Close()
	var out []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, rows.Err()
}

// untold begins the id of a weakening that waits: it does so until it turns out
// whose it is, since its own violation is open until then.
const untold = "weakened "

// await keeps a finding for subjects that become known by its names later.
func (e *Engine) await(ctx context.Context, tx *sql.Tx, f Finding) error {
	stored, err := storeFinding(&f)
	if err != nil {
		return err
	}
	event := f.Evidence.EventID
	if f.State == Weakened {
		event = untold + event
	}
	for _, name := range f.Alias {
		_, err := tx.ExecContext(ctx, `INSERT INTO alias_waiting (entry, tenant, name, event, happened, finding) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (entry, tenant, name, event) DO NOTHING`, f.Rule.Entry, f.Tenant, name, event, f.Time.UnixMicro(), stored)
		if err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM alias_waiting WHERE happened < $1 AND event NOT LIKE $2`, f.Time.Add(-lateness).UnixMicro(), untold+"%")
	return err
}
