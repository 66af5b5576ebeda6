package detectors

import (
	"context"
	"strings"
)

// note keeps what f tells of the keys, and returns the weak values after it that are
// something else for it.
func (k *knowing) note(ctx context.Context, r *Rule, f *Finding, keys []string) ([]Finding, error) {
	keep, news := k.keepFirst, false
	if r.forgets() {
		keep = k.keep
	}
	for _, key := range keys {
		for _, n := range f.notes(r) {
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
	whole := strings.Join([]string{f.Rule.Entry, f.Tenant, key, n.way}, parted)
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

// waitingID tells a weak value from the others that wait under a key.
func waitingID(f *Finding) string { return f.Evidence.EventID + joiner + f.Subject }

// wait keeps a weak value under each key that it asks for. One that waits already
// stays as it was judged.
func (k *knowing) wait(ctx context.Context, r *Rule, w *weakValue) error {
	f := &w.Finding
	stored, err := storeMatch(&w.Match)
	if err != nil {
		return err
	}
	for _, key := range f.asks(r) {
		err := k.tx.QueryRowContext(ctx, `INSERT INTO unknown_weak (entry, tenant, subject, event, happened, finding, turns) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (entry, tenant, subject, event) DO UPDATE SET turns = unknown_weak.turns RETURNING turns`,
			f.Rule.Entry, f.Tenant, key, waitingID(f), f.Time.UnixMicro(), stored, w.turns).Scan(&w.turns)
		if err != nil {
			return err
		}
	}
	return nil
}

// waiting returns the weak values after f that wait under keys, each once.
func (k *knowing) waiting(ctx context.Context, f *Finding, keys []string) ([]weakValue, error) {
	var out []weakValue
	met := map[identity]bool{}
	for _, key := range keys {
		found, err := k.waitingFor(ctx, f, key)
		if err != nil {
			return nil, err
		}
		for _, w := range found {
			if id := identityOf(&w.Finding); !met[id] {
				met[id] = true
				out = append(out, w)
			}
		}
	}
	return out, nil
}

func (k *knowing) waitingFor(ctx context.Context, f *Finding, key string) ([]weakValue, error) {
	rows, err := k.tx.QueryContext(ctx, `SELECT finding, turns FROM unknown_weak WHERE entry = $1 AND tenant = $2 AND subject = $3 AND happened > $4 ORDER BY happened, event`,
		f.Rule.Entry, f.Tenant, key, f.Time.UnixMicro())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []weakValue
	for rows.Next() {
		var w weakValue
		var stored []byte
		if err := rows.Scan(&stored, &w.turns); err != nil {
			return nil, err
		}
		if w.Match, err = k.e.readMatch(stored); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, rows.Err()
}

// turn keeps that a weak value is judged otherwise now.
func (k *knowing) turn(ctx context.Context, w *weakValue) error {
	f := &w.Finding
	for _, key := range f.asks(k.e.byEntry[f.Rule.Entry]) {
		_, err := k.tx.ExecContext(ctx, `UPDATE unknown_weak SET turns = $1 WHERE entry = $2 AND tenant = $3 AND subject = $4 AND event = $5`,
			w.turns, f.Rule.Entry, f.Tenant, key, waitingID(f))
		if err != nil {
			return err
		}
	}
	return nil
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
