package detectors

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// A violation is reported when people are told of it. What a subject was reported as
// may differ from its own name; rows under itself(subject) keep that.

// itself is the name under which a subject has what it was reported as, and the
// restores it had: no event has such a name.
func itself(subject string) string { return keySep + subject }

// weakenedPrefix begins the id of a weakening that was reported under its own subject,
// and waits until it turns out whose it is; ids of restores stand as they are.
const weakenedPrefix = "weakened "

// reportedAs returns, in order, the subjects under which violations of any of the
// subjects were reported: one, unless it turned out too late that two are the same.
func (n *naming) reportedAs(ctx context.Context, subjects ...string) ([]string, error) {
	names := make([]string, len(subjects))
	for i, s := range subjects {
		names[i] = itself(s)
	}
	return n.subjects(ctx, names)
}

// subjects returns, in order, what is known by names.
func (n *naming) subjects(ctx context.Context, names []string) ([]string, error) {
	found := map[string]bool{}
	err := selectAmong(ctx, n.tx, `SELECT DISTINCT subject FROM aliases WHERE entry = $1 AND tenant = $2 AND name IN`,
		[]any{n.f.Rule.Entry, n.f.Tenant}, names, found)
	return slices.Sorted(maps.Keys(found)), err
}

// call gives a subject a name, and reports whether it is new.
func (n *naming) call(ctx context.Context, name, subject string) (bool, error) {
	done, err := n.tx.ExecContext(ctx, `INSERT INTO aliases (entry, tenant, name, subject) VALUES ($1, $2, $3, $4)
		ON CONFLICT (entry, tenant, name, subject) DO NOTHING`, n.f.Rule.Entry, n.f.Tenant, name, subject)
	if err != nil {
		return false, err
	}
	rows, err := done.RowsAffected()
	return rows > 0, err
}

// name makes a subject known by the finding's names, and restores it, and what it
// was reported as, by what waited for that. If the names are its own, what was
// reported under them is of it.
func (n *naming) name(ctx context.Context, subject string) error {
	restoresOnly := n.rule.alias.restores
	var fresh []string
	for _, name := range n.f.Alias {
		added, err := n.call(ctx, name, subject)
		if err != nil {
			return err
		}
		if !added {
			continue
		}
		fresh = append(fresh, name)
		if n.byAlias || restoresOnly {
			continue
		}
		if err := n.take(ctx, name, subject); err != nil {
			return err
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	subjects := []string{subject}
	if !restoresOnly {
		reported, err := n.reportedAs(ctx, subject)
		if err != nil {
			return err
		}
		subjects = unique(append(subjects, reported...))
	}
	for _, name := range fresh {
		for _, s := range subjects {
			if err := n.replay(ctx, name, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// take makes what was reported under a name, and waits to turn out whose it is, the
// subject's.
func (n *naming) take(ctx context.Context, name, subject string) error {
	waiting, err := n.waiting(ctx, name, Weakened)
	if err != nil {
		return err
	}
	for i := range waiting {
		w := &waiting[i]
		before, err := n.reportedAs(ctx, subject)
		if err != nil {
			return err
		}
		now := strings.ToLower(w.Subject)
		if err := n.link(ctx, subject, now); err != nil {
			return err
		}
		for _, other := range before { // two were reported of the one: what restores one restores both
			if err := n.link(ctx, now, other); err != nil {
				return err
			}
			if err := n.link(ctx, other, now); err != nil {
				return err
			}
		}
		for _, name := range w.Alias {
			_, err := n.tx.ExecContext(ctx, `DELETE FROM alias_waiting WHERE entry = $1 AND tenant = $2 AND name = $3 AND event = $4`,
				n.f.Rule.Entry, n.f.Tenant, name, weakenedPrefix+w.Evidence.EventID)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// link notes that a subject's violation is reported under another, which has the
// subject's restores then.
func (n *naming) link(ctx context.Context, subject, reported string) error {
	fresh, err := n.call(ctx, itself(subject), reported)
	if err != nil || !fresh || subject == reported {
		return err
	}
	return n.replay(ctx, itself(subject), reported)
}

// replay restores a subject by what is kept under a name.
func (n *naming) replay(ctx context.Context, name, subject string) error {
	restores, err := n.waiting(ctx, name, Restored)
	if err != nil {
		return err
	}
	for i := range restores {
		w := &restores[i]
		if strings.EqualFold(w.Subject, subject) {
			continue
		}
		n.out = append(n.out, n.about(*w, subject))
		if n.rule.alias.restores {
			continue
		}
		if err := n.keep(ctx, w, itself(subject)); err != nil {
			return err
		}
	}
	return nil
}

// waiting returns what is kept under a name: the weakenings, or the restores.
func (n *naming) waiting(ctx context.Context, name string, state State) ([]Finding, error) {
	like := `NOT LIKE`
	if state == Weakened {
		like = `LIKE`
	}
	rows, err := n.tx.QueryContext(ctx, `SELECT finding FROM alias_waiting WHERE entry = $1 AND tenant = $2 AND name = $3 AND event `+like+` $4
		ORDER BY happened, event`, n.f.Rule.Entry, n.f.Tenant, name, weakenedPrefix+"%")
	if err != nil {
		return nil, err
	}
	return n.e.scanFindings(rows)
}

// keep keeps a finding under names: a restore for as long as records may be late.
func (n *naming) keep(ctx context.Context, f *Finding, names ...string) error {
	stored, err := storeFinding(f)
	if err != nil {
		return err
	}
	event := f.Evidence.EventID
	if f.State == Weakened {
		event = weakenedPrefix + event
	}
	rows := make([][]any, len(names))
	for i, name := range names {
		rows[i] = []any{f.Rule.Entry, f.Tenant, name, event, f.Time.UnixMicro(), stored}
	}
	err = insertRows(ctx, n.tx, `INSERT INTO alias_waiting (entry, tenant, name, event, happened, finding) VALUES`,
		`ON CONFLICT (entry, tenant, name, event) DO NOTHING`, rows)
	if err != nil {
		return err
	}
	_, err = n.tx.ExecContext(ctx, `DELETE FROM alias_waiting WHERE happened < $1 AND event NOT LIKE $2`, f.outdated(), weakenedPrefix+"%")
	return err
}
