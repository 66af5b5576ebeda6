package detectors

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/sigma"
)

// Things are renamed, also while they are off, and most records know them by name
// only. What shows it stands in
//
//	safeguard:
//	  alias: {…, renamed: {detection: DETECTION, to: SUBJECT}}
//
// An event of the detection gives its subject, and what that is known by, the name at
// to. What restores a thing after that restores what was weakened under the names that
// it had. What is known of it is also what was known by these, but only as long as it
// had them: not of what takes such a name afterwards.
//
// Given up is to tell things apart that had one name after another, where one of them
// is weak: a violation goes by its name, and what restores either restores it. What is
// known by a name counts for whatever has got it since. And what is weakened once more
// under its new name is a second violation, which is over with the first.
type renamedYAML struct {
	Detection yaml.Node `yaml:"detection"`
	To        yaml.Node `yaml:"to"`
}

// renames is the state of a match that tells a new name.
const renames State = "renames"

// renamed adds the half to r that finds its things renamed.
func (b *builder) renamed(r *Rule, sr *sigma.Rule, n *yaml.Node, weakened half) error {
	if n.IsZero() {
		return nil
	}
	var y aliasYAML // whose other keys alias has read
	if err := n.Load(&y); err != nil || y.Renamed.Detection.IsZero() && y.Renamed.To.IsZero() {
		return err
	}
	var err error
	if r.alias.to, err = b.subject(sr.File, &y.Renamed.To); err != nil {
		return err
	}
	if r.alias.to == nil || y.Renamed.Detection.IsZero() || r.alias.restores {
		return at(sr.File, n, "safeguard.alias.renamed: write {detection: DETECTION, to: SUBJECT}, and not with only: restored")
	}
	return b.tells(r, sr, half{state: renames, subject: weakened.subject, kinds: weakened.kinds}, &y.Renamed.Detection)
}

// follows reports whether the rule follows what is renamed.
func (r *Rule) follows() bool { return r.alias != nil && r.alias.to != nil }

// oldNames returns by what a thing was known that was renamed.
func (f *Finding) oldNames() []string {
	return slices.DeleteFunc(f.namesOf(f.Subject), func(name string) bool {
		return name == f.Renamed || strings.HasSuffix(name, `\`+f.Renamed)
	})
}

// maxNames bounds the names that a thing is followed through.
const maxNames = 64

// spell is the time in which a thing had a name.
type spell struct {
	name   string
	before int64
}

// renamings reads and writes who had which name.
type renamings struct {
	tx *sql.Tx
	f  *Finding // of the entry and tenant
}

// keep keeps a rename, and of those that are as good from before what may still come
// the newest only.
func (n *renamings) keep(ctx context.Context) error {
	f := n.f
	for _, was := range f.oldNames() {
		_, err := n.tx.ExecContext(ctx, `INSERT INTO renames (entry, tenant, name, was, happened) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (entry, tenant, name, was, happened) DO NOTHING`, f.Rule.Entry, f.Tenant, f.Renamed, was, f.Time.UnixMicro())
		if err != nil {
			return err
		}
		_, err = n.tx.ExecContext(ctx, `DELETE FROM renames WHERE entry = $1 AND tenant = $2 AND name = $3 AND was = $4 AND happened <
			(SELECT MAX(happened) FROM renames WHERE entry = $1 AND tenant = $2 AND name = $3 AND was = $4 AND happened < $5)`,
			f.Rule.Entry, f.Tenant, f.Renamed, was, f.outdated())
		if err != nil {
			return err
		}
	}
	return nil
}

// formerly returns which names what had one of the names at the time of the finding
// had before.
func (n *renamings) formerly(ctx context.Context, names []string) ([]spell, error) {
	until := map[string]int64{}
	var all []spell
	for _, name := range names {
		until[name] = n.f.Time.UnixMicro()
		all = append(all, spell{name, until[name]})
	}
	for i := 0; i < len(all) && len(all) < maxNames; i++ {
		before, err := n.before(ctx, all[i])
		if err != nil {
			return nil, err
		}
		for _, s := range before {
			if s.before > until[s.name] {
				until[s.name] = s.before
				all = append(all, s)
			}
		}
	}
	return all[len(names):], nil
}

// before returns the names that what got a name gave up for it.
func (n *renamings) before(ctx context.Context, s spell) ([]spell, error) {
	rows, err := n.tx.QueryContext(ctx, `SELECT was, MAX(happened) FROM renames WHERE entry = $1 AND tenant = $2 AND name = $3 AND happened < $4
		GROUP BY was ORDER BY was`, n.f.Rule.Entry, n.f.Tenant, s.name, s.before)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []spell
	for rows.Next() {
		var s spell
		if err := rows.Scan(&s.name, &s.before); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// later returns the names, and those that what had them got, whenever that was.
func (n *renamings) later(ctx context.Context, names ...string) ([]string, error) {
	all := slices.Clone(names)
	for i := 0; i < len(all) && len(all) < maxNames; i++ {
		got := map[string]bool{}
		err := selectTexts(ctx, n.tx, `SELECT DISTINCT name FROM renames WHERE entry = $1 AND tenant = $2 AND was = $3`,
			[]any{n.f.Rule.Entry, n.f.Tenant, all[i]}, got)
		if err != nil {
			return nil, err
		}
		for name := range got {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all, nil
}

// formerly returns the names that the finding's subject had before.
func (n *naming) formerly(ctx context.Context) ([]string, error) {
	if !n.rule.follows() {
		return nil, nil
	}
	who := &renamings{n.tx, &n.f}
	spells, err := who.formerly(ctx, n.f.namesOf(n.f.Subject))
	names := make([]string, len(spells))
	for i := range spells {
		names[i] = spells[i].name
	}
	return unique(names), err
}

// renamed keeps that the finding's subject got another name, and restores the names
// that it had by what restored it under that since.
func (n *naming) renamed(ctx context.Context) error {
	n.out = append(n.out, n.f) // of which something may be known
	who := &renamings{n.tx, &n.f}
	if err := who.keep(ctx); err != nil {
		return err
	}
	names, err := who.later(ctx, n.f.Renamed)
	if err != nil {
		return err
	}
	met := map[string]bool{}
	for _, name := range names {
		for _, under := range []string{name, itself(name)} {
			restores, err := n.waiting(ctx, under, Restored)
			if err != nil {
				return err
			}
			for _, f := range restores {
				id := waitingID(&f)
				if met[id] || !f.Time.After(n.f.Time) {
					continue
				}
				met[id] = true
				again := n.e.naming(n.tx, n.rule, f)
				if err := again.restored(ctx); err != nil {
					return err
				}
				n.out = append(n.out, again.out...)
			}
		}
	}
	return nil
}
