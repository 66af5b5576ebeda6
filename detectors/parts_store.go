package detectors

import "time"

// weakPart is a row of part_weak: a part of a violation.
type weakPart struct {
	entry, part, subject string
	since, added, told   int64
	data                 []byte
}

// strongPart is a row of part_strong: what restored a part.
type strongPart struct {
	entry, part string
	at          int64
	data        []byte
}

// partStore is where parts are durable. It belongs to one transaction.
type partStore interface {
	// weaken keeps a part of a violation, and makes p what is kept: the earliest
	// since, the latest of the other times.
	weaken(p *weakPart) error
	// weakened returns the violations that had the part before a time.
	weakened(entry, part string, before int64) ([]weakPart, error)
	// strengthen keeps what restored a part, where there are many only the newest
	// of each hour, and forgets what was before horizon.
	strengthen(p *strongPart, horizon int64) error
	// strengthened returns what restored a part after a time, in order.
	strengthened(entry, part string, after int64) ([]strongPart, error)
}

const (
	// keptPart is how long a part waits for what restores it.
	keptPart = 2 * 365 * 24 * time.Hour
	// manyStrong is of how many restores of a part each one is kept.
	manyStrong = 64
)

func (j sqlJournal) weaken(p *weakPart) error {
	err := j.tx.QueryRowContext(j.ctx, `INSERT INTO part_weak (entry, part, subject, since, added, told, data) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (entry, part, subject) DO UPDATE SET
		since = CASE WHEN excluded.since < part_weak.since THEN excluded.since ELSE part_weak.since END,
		added = CASE WHEN excluded.added > part_weak.added THEN excluded.added ELSE part_weak.added END,
		told = CASE WHEN excluded.told > part_weak.told THEN excluded.told ELSE part_weak.told END
		RETURNING since, added, told`, p.entry, p.part, p.subject, p.since, p.added, p.told, p.data).Scan(&p.since, &p.added, &p.told)
	if err != nil {
		return err
	}
	_, err = j.tx.ExecContext(j.ctx, `DELETE FROM part_weak WHERE entry = $1 AND told < $2`, p.entry, p.told-keptPart.Microseconds())
	return err
}

func (j sqlJournal) weakened(entry, part string, before int64) ([]weakPart, error) {
	rows, err := j.tx.QueryContext(j.ctx, `SELECT subject, since, added, told, data FROM part_weak
		WHERE entry = $1 AND part = $2 AND since < $3 ORDER BY subject`, entry, part, before)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []weakPart
	for rows.Next() {
		p := weakPart{entry: entry, part: part}
		if err := rows.Scan(&p.subject, &p.since, &p.added, &p.told, &p.data); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

func (j sqlJournal) strengthen(p *strongPart, horizon int64) error {
	slot := p.at / time.Hour.Microseconds()
	updated, err := j.change(`UPDATE part_strong SET happened = $4, data = $5 WHERE entry = $1 AND part = $2 AND slot = $3 AND happened < $4`,
		p.entry, p.part, slot, p.at, p.data)
	if err != nil || updated {
		return err
	}
	kept := 0
	if err := j.tx.QueryRowContext(j.ctx, `SELECT COUNT(*) FROM part_strong WHERE entry = $1 AND part = $2`, p.entry, p.part).Scan(&kept); err != nil {
		return err
	}
	if kept < manyStrong {
		slot = p.at
	}
	began, err := j.change(`INSERT INTO part_strong (entry, part, slot, happened, data) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (entry, part, slot) DO NOTHING`,
		p.entry, p.part, slot, p.at, p.data)
	if err != nil || !began {
		return err
	}
	_, err = j.tx.ExecContext(j.ctx, `DELETE FROM part_strong WHERE entry = $1 AND happened < $2`, p.entry, horizon)
	return err
}

func (j sqlJournal) strengthened(entry, part string, after int64) ([]strongPart, error) {
	rows, err := j.tx.QueryContext(j.ctx, `SELECT happened, data FROM part_strong WHERE entry = $1 AND part = $2 AND happened > $3 ORDER BY happened`,
		entry, part, after)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []strongPart
	for rows.Next() {
		p := strongPart{entry: entry, part: part}
		if err := rows.Scan(&p.at, &p.data); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// change runs a statement and reports whether it changed a row.
func (j sqlJournal) change(query string, args ...any) (bool, error) {
	result, err := j.tx.ExecContext(j.ctx, query, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}
