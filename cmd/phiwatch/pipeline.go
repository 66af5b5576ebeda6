package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"phiwatch/alerting"
	"phiwatch/detectors"
	"phiwatch/detectors/blindness"
	"phiwatch/ingest"
)

// flushEvery is how long a position may lag behind when nothing was found: a
// crash then decides again what it covers, to the same end.
const flushEvery = time.Second

// pipeline decides batches: decode and match on the caller's goroutine, then
// everything that follows from it, and the position, in one transaction.
type pipeline struct {
	db         *sql.DB
	engine     atomic.Pointer[detectors.Engine]
	ledger     *alerting.Ledger
	quarantine *ingest.Quarantine
	positions  ingest.Positions
	metrics    *ingest.Metrics
	log        *slog.Logger
	watch      *blindness.Watch          // told of what is decided; may be nil
	told       func([]detectors.Finding) // called after each commit that had findings; may be nil

	decoders sync.Pool
	matches  sync.Pool // []detectors.Match behind pointers, for further batches
	totals   totals

	commit  sync.Mutex                        // Apply is serial
	mu      sync.Mutex                        // guards what follows
	decided map[ingest.Partition]int64        // up to where this process has decided
	pending map[ingest.Partition]ingest.Batch // last message and owner of what awaits a flush
}

// newPipeline returns a pipeline over a state database.
func newPipeline(db *sql.DB, engine *detectors.Engine, ledger *alerting.Ledger, q *ingest.Quarantine, m *ingest.Metrics, log *slog.Logger) *pipeline {
	p := &pipeline{
		db: db, ledger: ledger, quarantine: q, metrics: m, log: log.With("component", "pipeline"),
		decided: map[ingest.Partition]int64{}, pending: map[ingest.Partition]ingest.Batch{},
	}
	p.engine.Store(engine)
	p.decoders.New = func() any { return ingest.NewDecoder() }
	p.matches.New = func() any { return new([]detectors.Match) }
	q.CountOn(m)
	return p
}

// handle decides one batch; it is what a Source calls.
func (p *pipeline) handle(ctx context.Context, b ingest.Batch) error {
	last := b.Messages[len(b.Messages)-1]
	fresh, after, known, err := p.fresh(ctx, b)
	if err != nil {
		return err
	}
	if len(fresh.Messages) == 0 {
		return nil
	}
	v := p.decide(fresh)
	defer p.reuse(v)
	if v.gaps = p.watch.Gaps(&fresh, after, known); len(v.matches) == 0 && len(v.quarantined) == 0 && len(v.gaps) == 0 {
		p.postpone(b)
	} else if err := p.commitBatch(ctx, b, v); err != nil {
		if errors.Is(err, ingest.ErrFenced) {
			p.forget(b)
		}
		return fmt.Errorf("commit batch of %s/%s up to sequence %d: %w", b.Hub, b.ID, last.Sequence, err)
	}
	p.account(fresh, v)
	return nil
}

// fresh leaves out messages that are decided already: those of a batch that a
// source delivers again. It also returns the last one decided, if one is known.
func (p *pipeline) fresh(ctx context.Context, b ingest.Batch) (fresh ingest.Batch, upTo int64, known bool, err error) {
	if b.Owner == "" {
		return b, 0, false, nil
	}
	if b.Reset {
		p.forget(b)
		return b, 0, false, nil
	}
	p.mu.Lock()
	upTo, known = p.decided[b.Partition]
	p.mu.Unlock()
	// What is remembered may be outdated when another owner has decided meanwhile.
	if !known || b.Messages[0].Sequence > upTo+1 {
		pos, found, err := p.positions.Load(ctx, p.db, b.Partition)
		if err != nil {
			return b, 0, false, err
		}
		if found {
			upTo, known = max(upTo, pos.Sequence), true
		}
	}
	if !known {
		return b, 0, false, nil
	}
	return b.After(upTo), upTo, true, nil
}

// commitBatch writes all that follows from a batch in one transaction.
func (p *pipeline) commitBatch(ctx context.Context, b ingest.Batch, v *verdict) error {
	p.commit.Lock()
	defer p.commit.Unlock()
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := p.quarantine.Add(ctx, tx, v.quarantined); err != nil {
		return err
	}
	engine := p.engine.Load()
	findings, err := engine.Apply(ctx, tx, v.matches)
	if err != nil {
		return err
	}
	if err := p.watch.Note(ctx, tx, findings); err != nil {
		return err
	}
	findings = append(findings, v.gaps...)
	if err := p.ledger.Apply(ctx, tx, findings); err != nil {
		return err
	}
	if err := p.advance(ctx, tx, b); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	engine.Committed()
	p.moved(b)
	if p.told != nil && len(findings) > 0 {
		p.told(findings)
	}
	return nil
}

func (p *pipeline) advance(ctx context.Context, tx *sql.Tx, b ingest.Batch) error {
	if b.Owner == "" {
		return nil
	}
	return p.positions.Advance(ctx, tx, b)
}

// moved notes that the position of b is stored.
func (p *pipeline) moved(b ingest.Batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.decided[b.Partition] = b.Messages[len(b.Messages)-1].Sequence
	delete(p.pending, b.Partition)
}

// postpone leaves the position of a batch without consequences to the next flush.
func (p *pipeline) postpone(b ingest.Batch) {
	if b.Owner == "" {
		return
	}
	last := b.Messages[len(b.Messages)-1]
	b.Messages = []ingest.Message{{Position: last.Position, Enqueued: last.Enqueued}}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.decided[b.Partition] = last.Sequence
	p.pending[b.Partition] = b
}

// flushLoop stores postponed positions until ctx is done, and once more then.
func (p *pipeline) flushLoop(ctx context.Context) error {
	t := time.NewTicker(flushEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			p.flush(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			p.flush(last)
			return nil
		}
	}
}

// flush stores the postponed positions, each partition in its own transaction:
// one that lost its ownership must not hold back the others.
func (p *pipeline) flush(ctx context.Context) {
	p.mu.Lock()
	batches := make([]ingest.Batch, 0, len(p.pending))
	for _, b := range p.pending {
		batches = append(batches, b)
	}
	p.mu.Unlock()
	for _, b := range batches {
		err := p.flushOne(ctx, b)
		switch {
		case errors.Is(err, ingest.ErrFenced):
			p.log.Info("partition now belongs to another owner", "hub", b.Hub, "partition", b.ID)
			p.forget(b)
		case err != nil:
			p.log.Error("position not stored, trying again", "hub", b.Hub, "partition", b.ID, "err", err)
		}
	}
}

// flushOne stores the position of b or what has been postponed since, unless it
// has been stored or forgotten while this waited for its turn.
func (p *pipeline) flushOne(ctx context.Context, b ingest.Batch) error {
	p.commit.Lock()
	defer p.commit.Unlock()
	p.mu.Lock()
	b, waits := p.pending[b.Partition]
	p.mu.Unlock()
	if !waits {
		return nil
	}
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := p.positions.Advance(ctx, tx, b); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if now, ok := p.pending[b.Partition]; ok && now.Messages[0].Sequence == b.Messages[0].Sequence {
		delete(p.pending, b.Partition)
	}
	return nil
}

// expire gives up quarantined records past their age.
func (p *pipeline) expire(ctx context.Context) error {
	p.commit.Lock()
	defer p.commit.Unlock()
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := p.quarantine.Expire(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// forget drops what is known of a partition that another owner decides now.
func (p *pipeline) forget(b ingest.Batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pending, b.Partition)
	delete(p.decided, b.Partition)
	p.metrics.Forget(b.Partition)
}

// account counts a batch once it is decided, so that a retry counts once.
func (p *pipeline) account(b ingest.Batch, v *verdict) {
	p.totals.add(&v.tally)
	p.metrics.Decided(b, &v.tally)
	p.watch.Saw(v.glimpse, time.Now())
}
