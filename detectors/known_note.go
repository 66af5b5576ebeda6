package detectors

import (
	"cmp"
	"context"
	"strings"
)

// note is that something is known in a way, or is so no longer.
type note struct {
	way       string // empty: there is one only
	at        int64
	forgotten bool
}

// everyWay is the way of a note by which all of them are forgotten.
const everyWay = "*"

// notes returns what f tells of each of its keys.
func (f *Finding) notes() []note {
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

// note keeps what f tells of the keys, and returns the weak values after it that are
// something else for it.
func (k *knowing) note(ctx context.Context, r *Rule, f *Finding, keys []string) ([]Finding, error) {
	keep, news := k.keepFirst, false
	if r.mayForget() {
		keep = k.keep
	}
	for _, key := range keys {
		for _, n := range f.notes() {
			fresh, err := keep(ctx, f, key, n)
			if err != nil {
				return nil, err
			}
			news = news || fresh
		}
	}
	if !news {
		return nil, nil
	}
	return k.rejudge(ctx, r, f, keys)
}

// keepFirst keeps the first note of a key that is never forgotten, and reports whether
// n is that.
func (k *knowing) keepFirst(ctx context.Context, f *Finding, key string, n note) (bool, error) {
	whole := strings.Join([]string{f.Rule.Entry, f.Tenant, key, n.way}, keySep)
	if k.e.strongSince.since(whole, n.at) {
		return false, nil
	}
	k.e.strongSince.note(whole, n.at)
	var before bool
	err := k.tx.QueryRowContext(ctx, `SELECT COUNT(*) > 0 FROM known_notes WHERE entry = $1 AND tenant = $2 AND subject = $3 AND way = $4 AND happened <= $5`,
		f.Rule.Entry, f.Tenant, key, n.way, n.at).Scan(&before)
	if err != nil || before {
		return false, err
	}
	if _, err := k.keep(ctx, f, key, n); err != nil {
		return false, err
	}
	_, err = k.tx.ExecContext(ctx, `DELETE FROM known_notes WHERE entry = $1 AND tenant = $2 AND subject = $3 AND way = $4 AND happened > $5`,
		f.Rule.Entry, f.Tenant, key, n.way, n.at)
	return true, err
}

// keep keeps a note, and of those from before what may still come the newest only. It
// reports whether the note is new.
func (k *knowing) keep(ctx context.Context, f *Finding, key string, n note) (bool, error) {
	done, err := k.tx.ExecContext(ctx, `INSERT INTO known_notes (entry, tenant, subject, way, happened, forgotten) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (entry, tenant, subject, way, happened, forgotten) DO NOTHING`, f.Rule.Entry, f.Tenant, key, n.way, n.at, n.forgotten)
	if err != nil {
		return false, err
	}
	fresh, err := done.RowsAffected()
	if err != nil || fresh == 0 {
		return false, err
	}
	_, err = k.tx.ExecContext(ctx, `DELETE FROM known_notes WHERE entry = $1 AND tenant = $2 AND subject = $3 AND way = $4 AND happened <
		(SELECT MAX(happened) FROM known_notes WHERE entry = $1 AND tenant = $2 AND subject = $3 AND way = $4 AND happened < $5)`,
		f.Rule.Entry, f.Tenant, key, n.way, f.outdated())
	return true, err
}

// before appends the notes of a key as long as f's subject had it.
func (k *knowing) before(ctx context.Context, f *Finding, s spell, out []note) ([]note, error) {
	rows, err := k.tx.QueryContext(ctx, `SELECT way, happened, forgotten FROM known_notes WHERE entry = $1 AND tenant = $2 AND subject = $3 AND happened < $4`,
		f.Rule.Entry, f.Tenant, s.name, s.before)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n note
		if err := rows.Scan(&n.way, &n.at, &n.forgotten); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

// prune drops what no event that may still come can meet: weak values, and what was
// forgotten with what was known before.
func (k *knowing) prune(ctx context.Context, outdated int64) error {
	if _, err := k.tx.ExecContext(ctx, `DELETE FROM unknown_weak WHERE happened < $1`, outdated); err != nil {
		return err
	}
	over, err := k.forgotten(ctx, outdated)
	if err != nil {
		return err
	}
	for _, o := range over {
		_, err := k.tx.ExecContext(ctx, `DELETE FROM known_notes WHERE entry = $1 AND tenant = $2 AND subject = $3 AND (way = $4 OR $4 = '`+everyWay+`')
			AND (happened < $5 OR forgotten AND happened = $5)`, o.entry, o.tenant, o.subject, o.way, o.at)
		if err != nil {
			return err
		}
	}
	return nil
}

// overNote is a note of a key by which nothing of it is known any more.
type overNote struct {
	entry, tenant, subject string
	note
}

// forgotten returns what was forgotten before a time.
func (k *knowing) forgotten(ctx context.Context, before int64) ([]overNote, error) {
	rows, err := k.tx.QueryContext(ctx, `SELECT entry, tenant, subject, way, happened FROM known_notes WHERE forgotten AND happened < $1`, before)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []overNote
	for rows.Next() {
		var o overNote
		if err := rows.Scan(&o.entry, &o.tenant, &o.subject, &o.way, &o.at); err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, rows.Err()
}
