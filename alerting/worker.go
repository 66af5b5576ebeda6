package alerting

import (
	"context"
	"database/sql"
	"log/slog"
	"time"
)

// worker works off the deliveries of one receiver. Its fields belong to the
// goroutine of run; attempts report to it through done.
type worker struct {
	d        *Dispatcher
	name     string
	receiver Receiver
	log      *slog.Logger
	wake     chan struct{}
	busy     map[string]bool // groups being worked on
	done     chan outcome
	quiet    int64 // the destination wants to be left alone until then, microseconds
}

// outcome is how an attempt ended, for its worker.
type outcome struct {
	id    string
	quiet int64
}

// How long a worker waits at most before it looks again, woken or not.
const lookAgain = time.Minute

// run works until ctx is done; attempts under way may use work's time.
func (w *worker) run(ctx, work context.Context) {
	defer w.finish()
	for ctx.Err() == nil {
		wait, err := w.start(ctx, work)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			w.log.Error("cannot look for deliveries, trying again", "err", err)
			wait = time.Second
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-w.wake:
		case o := <-w.done:
			w.end(o)
		case <-t.C:
		}
		t.Stop()
	}
}

// finish waits for the attempts under way.
func (w *worker) finish() {
	for len(w.busy) > 0 {
		w.end(<-w.done)
	}
}

func (w *worker) end(o outcome) {
	delete(w.busy, o.id)
	w.quiet = max(w.quiet, o.quiet)
}

// drain gives everything that is due one attempt, until ctx is done.
func (w *worker) drain(ctx context.Context) {
	tried := make(map[string]bool)
	for ctx.Err() == nil {
		todo, _, err := w.due(ctx, tried)
		if err != nil {
			w.log.Error("cannot look for deliveries at the end; they stay pending", "err", err)
			return
		}
		if len(todo) == 0 {
			break
		}
		for _, id := range todo {
			tried[id] = true
			w.attempt(ctx, id)
		}
		w.finish()
	}
	if ctx.Err() != nil {
		w.log.Warn("deliveries stay pending: no time left to make them")
	}
}

// start begins attempts for what is due, as many as may run at once, and
// returns how long to wait for the next.
func (w *worker) start(ctx, work context.Context) (time.Duration, error) {
	todo, wait, err := w.due(ctx, w.busy)
	if err != nil {
		return 0, err
	}
	for _, id := range todo {
		w.attempt(work, id)
	}
	return wait, nil
}

func (w *worker) attempt(ctx context.Context, id string) {
	w.busy[id] = true
	go func() { w.done <- w.d.attempt(ctx, w, id) }() // finish waits for it
}

const selectDue = `SELECT id, due FROM deliveries WHERE receiver = $1 AND wanted > achieved AND NOT parked
	ORDER BY due, id LIMIT $2`

// due returns groups that are due now, no more than may be started, without
// those to skip, and how long it is to the next one.
func (w *worker) due(ctx context.Context, skip map[string]bool) ([]string, time.Duration, error) {
	free := w.d.o.Concurrency - len(w.busy)
	if free <= 0 {
		return nil, lookAgain, nil
	}
	now := micros(w.d.o.Now())
	if w.quiet > now {
		return nil, min(lookAgain, time.Duration(w.quiet-now)*time.Microsecond), nil
	}
	var todo []string
	wait := lookAgain
	err := each(ctx, w.d.db, func(rows *sql.Rows) error {
		var id string
		var due int64
		if err := rows.Scan(&id, &due); err != nil {
			return err
		}
		switch {
		case skip[id] || len(todo) == free:
		case due <= now:
			todo = append(todo, id)
		default:
			wait = min(wait, time.Duration(due-now)*time.Microsecond)
		}
		return nil
	}, selectDue, w.name, free+len(skip)+1)
	return todo, wait, err
}
