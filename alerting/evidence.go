package alerting

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
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

func decompress(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r) // our own, of what was bounded when it came in
}

const insertEvidence = `INSERT INTO evidence
	(event, stored, at, kind, hub, hub_partition, sequence, record) VALUES `

// storeEvidence keeps the records of events, each once.
func storeEvidence(ctx context.Context, tx *sql.Tx, obs []*observation, now int64) error {
	seen := make(map[string]bool, len(obs))
	var args []any
	flush := func() error {
		if len(args) == 0 {
			return nil
		}
		_, err := tx.ExecContext(ctx, insertEvidence+tuples(len(args)/8, 8)+` ON CONFLICT (event) DO NOTHING`, args...)
		args = args[:0]
		if err != nil {
			return fmt.Errorf("store evidence: %w", err)
		}
		return nil
	}
	for _, o := range obs {
		if o.evidence == nil || seen[o.event] {
			continue
		}
		seen[o.event] = true
		e := &o.evidence.Evidence
		args = append(args, o.event, now, o.at, e.Kind, clip(e.Position.Hub, maxText), clip(e.Position.ID, maxText), e.Position.Sequence, compress(e.Record))
		if len(args) == chunk*8 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// Evidence returns the whole record behind an event id, as delivered. It holds
// whatever the audit log holds: not for a chat or a pager. The error is
// ErrNotFound when there is none, or no longer; nor is there one of a restore
// that arrived before anything was known to be weak: of that, only what the
// violation and its observations say is kept.
func (l *Ledger) Evidence(ctx context.Context, event string) ([]byte, error) {
	var packed []byte
	err := l.db.QueryRowContext(ctx, `SELECT record FROM evidence WHERE event = $1`, event).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("evidence %q: %w", event, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("load evidence %q: %w", event, err)
	}
	record, err := decompress(packed)
	if err != nil {
		return nil, fmt.Errorf("unpack evidence %q: %w", event, err)
	}
	return record, nil
}
