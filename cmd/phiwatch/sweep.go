package main

import (
	"context"
	"errors"
	"time"

	"phiwatch/alerting"
)

// sweepEvery is how often the ledger looks for incidents whose quiet period
// has passed and for evidence past its retention.
const sweepEvery = time.Minute

// sweep is the stage of what happens by the clock.
func (d *daemon) sweep(ctx context.Context) error {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-t.C:
			err := errors.Join(d.reconcile(ctx), d.sweepLedger(ctx, now), d.sweepOverdue(ctx, now), d.pipeline.expire(ctx))
			if ctx.Err() != nil {
				return nil
			}
			if d.clock.ran(stageSweep, now, err); err != nil {
				d.log.Error("sweep of the state", "err", err)
			}
		}
	}
}

// reconcile does what a reload left undone.
func (d *daemon) reconcile(ctx context.Context) error {
	if !d.unreconciled.Swap(false) {
		return nil
	}
	err := d.ledger.Reconcile(ctx)
	if err != nil {
		d.unreconciled.Store(true)
	}
	return err
}

// sweepLedger closes what is over because nothing came any more - unless records
// are late, and may still come.
func (d *daemon) sweepLedger(ctx context.Context, now time.Time) error {
	late := d.watch.Late()
	if late != d.held {
		d.held = late
		if late != "" {
			d.log.Warn("nothing closes by time alone while records may be late", "why", late)
		} else {
			d.log.Info("records are in time: what is quiet closes again")
		}
	}
	if late != "" {
		return d.ledger.Prune(ctx, now)
	}
	return d.ledger.Sweep(ctx, now)
}

// caughtUp is how far behind the hub overdue violations may be judged: what waits
// there may restore them.
const caughtUp = time.Minute

func (d *daemon) sweepOverdue(ctx context.Context, now time.Time) error {
	for _, l := range d.source.Lags() {
		if l.Events < 0 || l.Behind > caughtUp {
			return nil
		}
	}
	return d.ledger.SweepOverdue(ctx, now, alerting.DefaultLimits(), d.overdue.Load())
}
