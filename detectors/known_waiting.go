package detectors

import "context"

// weakValue is a weak value of a rule with unknown, as it is judged.
type weakValue struct {
	Match
	turns int // how often the judgement changed; odd: the subject is known
}

// known reports whether the subject is known.
func (w *weakValue) known() bool { return w.turns%2 == 1 }

// findings returns what is told of the value. What people have heard of is taken back,
// as one that gives no side back.
func (w *weakValue) findings() []Finding {
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
