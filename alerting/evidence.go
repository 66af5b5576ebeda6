package alerting

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// ErrNotFound is returned for a violation or a piece of evidence that is not there.
var ErrNotFound = errors.New("not found")

var writers = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

func compress(record []byte) []byte {
	var b bytes.Buffer
	w := writers.Get().(*gzip.Writer)
	defer writers.Put(w)
	w.Reset(&b)
	_, _ = w.Write(record) // a bytes.Buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

const insertEvidence = `INSERT INTO evidence
	(event, stored, at, kind, hub, hub_partition, sequence, kept, record) VALUES `

// storeEvidence keeps the records of events. kept says of an event whether a
// violation rests on it; what was not kept becomes kept when one does.
func storeEvidence(ctx context.Context, tx *sql.Tx, obs []*observation, kept func(*observation) bool, now int64) error {
	byEvent := make(map[string]bool, len(obs))
	var args []any
	flush := func() error {
		if len(args) == 0 {
			return nil
		}
		_, err := tx.ExecContext(ctx, insertEvidence+tuples(len(args)/9, 9)+
			` ON CONFLICT (event) DO UPDATE SET kept = TRUE WHERE excluded.kept AND NOT evidence.kept`, args...)
		args = args[:0]
		if err != nil {
			return fmt.Errorf("store evidence: %w", err)
		}
		return nil
	}
	for pass, want := range []bool{true, false} { // an event may be kept for one violation and not for another
		for _, o := range obs {
			if o.evidence == nil || kept(o) != want || byEvent[o.event] {
				continue
			}
			byEvent[o.event] = true
			e := &o.evidence.Evidence
			args = append(args, o.event, now, o.at, e.Kind, clip(e.Position.Hub, maxText), clip(e.Position.ID, maxText), e.Position.Sequence, pass == 0, compress(e.Record))
			if len(args) == chunk*9 {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}

// keepEvidence keeps the records behind everything observed of violations:
// restores that came before they were known.
func keepEvidence(ctx context.Context, tx *sql.Tx, violations []string) error {
	for part := range slices.Chunk(violations, chunk) {
		_, err := tx.ExecContext(ctx, `UPDATE evidence SET kept = TRUE WHERE NOT kept AND event IN
			(SELECT event FROM observations WHERE violation IN `+tuples(1, len(part))+`)`, arguments(part)...)
		if err != nil {
			return fmt.Errorf("keep evidence: %w", err)
		}
	}
	return nil
}

// Evidence returns the whole record behind an event id, as delivered. It holds
// whatever the audit log holds: not for a chat or a pager. The error is
// ErrNotFound when there is none, or no longer.
func (l *Ledger) Evidence(ctx context.Context, event string) ([]byte, error) {
	var packed []byte
	err := l.db.QueryRowContext(ctx, `SELECT record FROM evidence WHERE event = $1`, event).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("evidence %q: %w", event, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("load evidence %q: %w", event, err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack evidence %q: %w", event, err)
	}
	record, err := io.ReadAll(r) // our own, of a record that was bounded when decoded
	if err != nil {
		return nil, fmt.Errorf("unpack evidence %q: %w", event, err)
	}
	return record, nil
}
