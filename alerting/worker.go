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
	quiet    time.Time // the destination wants to be left alone until then
}

// outcome is how an attempt ended, for its worker.
type outcome struct {
	id    string
	quiet time.Time
}

// How long a worker waits at most before it looks again, woken or not.
const lookAgain = time.Minute

// run works until ctx is done; attempts under way may use work's time.
func (w *worker) run(ctx, work context.Context) {
	defer w.finish()
	w.resume(ctx)
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

// resume has what was refused tried again: the receiver may be another by now.
func (w *worker) resume(ctx context.Context) {
	for ctx.Err() == nil {
		_, err := w.d.db.ExecContext(ctx, `UPDATE deliveries SET parked = FALSE, due = $1 WHERE parked AND receiver = $2`, micros(w.d.o.Now()), w.name)
		if err == nil || ctx.Err() != nil {
			return
		}
		w.log.Error("cannot resume deliveries, trying again", "err", err)
		pause(ctx, time.Second)
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
	if o.quiet.After(w.quiet) {
		w.quiet = o.quiet
	}
}

// drain gives everything that is due one attempt, until ctx is done.
func (w *worker) drain(ctx context.Context) {
	tried := make(map[string]bool)
	for {
		todo, _, err := w.due(context.WithoutCancel(ctx), tried)
		switch {
		case err != nil:
			w.log.Error("cannot look for deliveries at the end; they stay pending", "err", err)
			return
		case len(todo) == 0:
			return
		case ctx.Err() != nil:
			w.log.Warn("deliveries stay pending: no time left to make them")
			return
		}
		for _, id := range todo {
			tried[id] = true
			w.attempt(ctx, id)
		}
		w.finish()
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

const selectDue = `SELECT id, due, failures FROM deliveries WHERE receiver = $1 AND wanted > achieved ORDER BY due, id LIMIT $2`

// mostAhead is how far in the future the next attempt after a failure may be.
// Beyond that, as beyond maxWait for a first one, the clock has been set back.
const mostAhead = time.Hour

// due returns groups that are due now, no more than may be started, without
// those to skip, and how long it is to the next one.
func (w *worker) due(ctx context.Context, skip map[string]bool) ([]string, time.Duration, error) {
	free := w.d.o.Concurrency - len(w.busy)
	if free <= 0 {
		return nil, lookAgain, nil
	}
	now := w.d.o.Now()
	if quiet := w.quiet.Sub(now); quiet > 0 {
		return nil, min(lookAgain, quiet), nil
	}
	var todo []string
	wait := lookAgain
	err := each(ctx, w.d.db, func(rows *sql.Rows) error {
		var id string
		var due, failures int64
		if err := rows.Scan(&id, &due, &failures); err != nil {
			return err
		}
		ahead, most := time.Duration(due-micros(now))*time.Microsecond, maxWait
		if failures > 0 {
			most = mostAhead
		}
		switch {
		case skip[id] || len(todo) == free:
		case ahead <= 0 || ahead > most:
			todo = append(todo, id)
		default:
			wait = min(wait, ahead)
		}
		return nil
	}, selectDue, w.name, free+len(skip)+1)
	return todo, wait, err
}
