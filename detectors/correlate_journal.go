package detectors

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// journal is where windows are durable: what each batch fed, in the order in
// which batches were committed. It belongs to one transaction.
type journal interface {
	partStore
	// head takes the journal for this transaction and returns the number and
	// the writer of the last batch, and the newest event time up to it.
	head() (seq int64, writer string, newest int64, err error)
	// has reports whether batch seq is that of writer.
	has(seq int64, writer string) (bool, error)
	// rows calls f with what the batches after seq fed, in order.
	rows(seq int64, f func(row journalRow) error) error
	// read returns what batch seq fed one correlation.
	read(seq int64, correlation string) ([]byte, error)
	// write appends a row.
	write(row journalRow) error
	// advance makes seq, by writer, the last batch, up to newest.
	advance(seq int64, writer string, newest int64) error
	// dropOlder removes a correlation's rows whose newest event is before at,
	// dropFirst those up to batch seq.
	dropOlder(correlation string, at int64) error
	dropFirst(correlation string, seq int64) error
	// tally adds to the events of a group in an hour; peak returns the most of an
	// hour in [from, to), 0 if none had any. They serve baselines.
	tally(correlation, thing string, hour int64, events int) error
	peak(correlation, thing string, from, to int64) (int, error)
	forgetTallies(correlation string, before int64) error
}

// journalRow is what one batch fed one correlation.
type journalRow struct {
	seq         int64
	correlation string
	writer      string
	newest      int64
	events      int
	data        []byte
}

// sqlJournal is the journal of a transaction.
type sqlJournal struct {
	ctx context.Context
	tx  *sql.Tx
}

func (j sqlJournal) head() (seq int64, writer string, newest int64, err error) {
	// An update, for its lock.
	err = j.tx.QueryRowContext(j.ctx, `UPDATE correlation_head SET seq = seq WHERE one = 1 RETURNING seq, writer, newest`).Scan(&seq, &writer, &newest)
	return seq, writer, newest, err
}

func (j sqlJournal) has(seq int64, writer string) (bool, error) {
	var n int
	err := j.tx.QueryRowContext(j.ctx, `SELECT COUNT(*) FROM correlation_journal WHERE seq = $1 AND writer = $2`, seq, writer).Scan(&n)
	return n > 0, err
}

func (j sqlJournal) rows(seq int64, f func(journalRow) error) error {
	rows, err := j.tx.QueryContext(j.ctx, `SELECT seq, correlation, writer, newest, events, data FROM correlation_journal
		WHERE seq > $1 ORDER BY seq, correlation`, seq)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r journalRow
		var data sql.RawBytes
		if err := rows.Scan(&r.seq, &r.correlation, &r.writer, &r.newest, &r.events, &data); err != nil {
			return err
		}
		r.data = data
		if err := f(r); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (j sqlJournal) read(seq int64, correlation string) ([]byte, error) {
	var data []byte
	err := j.tx.QueryRowContext(j.ctx, `SELECT data FROM correlation_journal WHERE seq = $1 AND correlation = $2`, seq, correlation).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("batch %d of %s is not in the journal", seq, correlation)
	}
	return data, err
}

func (j sqlJournal) write(r journalRow) error {
	_, err := j.tx.ExecContext(j.ctx, `INSERT INTO correlation_journal (seq, correlation, writer, newest, events, data) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.seq, r.correlation, r.writer, r.newest, r.events, r.data)
	return err
}

func (j sqlJournal) advance(seq int64, writer string, newest int64) error {
	_, err := j.tx.ExecContext(j.ctx, `UPDATE correlation_head SET seq = $1, writer = $2, newest = $3 WHERE one = 1`, seq, writer, newest)
	return err
}

func (j sqlJournal) dropOlder(correlation string, at int64) error {
	_, err := j.tx.ExecContext(j.ctx, `DELETE FROM correlation_journal WHERE correlation = $1 AND newest < $2`, correlation, at)
	return err
}

func (j sqlJournal) dropFirst(correlation string, seq int64) error {
	_, err := j.tx.ExecContext(j.ctx, `DELETE FROM correlation_journal WHERE correlation = $1 AND seq <= $2`, correlation, seq)
	return err
}

func (j sqlJournal) tally(correlation, thing string, hour int64, events int) error {
	_, err := j.tx.ExecContext(j.ctx, `INSERT INTO baselines (correlation, thing, hour, events) VALUES ($1, $2, $3, $4)
		ON CONFLICT (correlation, thing, hour) DO UPDATE SET events = baselines.events + excluded.events`, correlation, thing, hour, events)
	return err
}

func (j sqlJournal) peak(correlation, thing string, from, to int64) (most int, err error) {
	err = j.tx.QueryRowContext(j.ctx, `SELECT COALESCE(MAX(events), 0) FROM baselines WHERE correlation = $1 AND thing = $2 AND hour >= $3 AND hour < $4`,
		correlation, thing, from, to).Scan(&most)
	return most, err
}

func (j sqlJournal) forgetTallies(correlation string, before int64) error {
	_, err := j.tx.ExecContext(j.ctx, `DELETE FROM baselines WHERE correlation = $1 AND hour < $2`, correlation, before)
	return err
}
