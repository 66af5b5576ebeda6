package alerting

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// DispatchOptions configure a Dispatcher. Zero values mean the defaults.
type DispatchOptions struct {
	Timeout     time.Duration    // of one attempt; default 15 s
	MaxBackoff  time.Duration    // between attempts; default 5 min
	Parked      time.Duration    // between attempts that no retry should help; default 15 min
	Drain       time.Duration    // for what is due when Run is told to stop; default 10 s
	Concurrency int              // groups worked at once, per receiver; default 4
	Now         func() time.Time // time.Now if nil
}

func (o *DispatchOptions) setDefaults() {
	o.Timeout = cmp.Or(o.Timeout, 15*time.Second)
	o.MaxBackoff = cmp.Or(o.MaxBackoff, 5*time.Minute)
	o.Parked = cmp.Or(o.Parked, 15*time.Minute)
	o.Drain = cmp.Or(o.Drain, 10*time.Second)
	o.Concurrency = cmp.Or(o.Concurrency, 4)
	if o.Now == nil {
		o.Now = time.Now
	}
}

// Dispatcher brings receivers to the present state of their groups: it works
// off the rows whose wanted version is above the achieved one. One Dispatcher
// runs per database.
type Dispatcher struct {
	db      *sql.DB
	o       DispatchOptions
	log     *slog.Logger
	metrics *dispatchMetrics

	mu        sync.Mutex
	receivers map[string]Receiver      // guarded by mu
	wakes     map[string]chan struct{} // guarded by mu; of the workers that run
	current   context.Context          // ends when SetReceivers replaces the receivers; guarded by mu
	replace   context.CancelFunc       // ends current; guarded by mu
}

// NewDispatcher returns a dispatcher for the receivers by name.
func NewDispatcher(db *sql.DB, receivers map[string]Receiver, o DispatchOptions, log *slog.Logger, reg prometheus.Registerer) (*Dispatcher, error) {
	o.setDefaults()
	d := &Dispatcher{
		db: db, o: o, log: log, receivers: maps.Clone(receivers),
		wakes: make(map[string]chan struct{}),
	}
	d.current, d.replace = context.WithCancel(context.Background())
	var err error
	if d.metrics, err = newDispatchMetrics(reg); err != nil {
		return nil, err
	}
	d.metrics.create(slices.Collect(maps.Keys(receivers)))
	return d, nil
}

// Wake makes the dispatcher look for work. Call it after each commit that may
// owe deliveries. It never blocks.
func (d *Dispatcher) Wake() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.wakes {
		select {
		case c <- struct{}{}:
		default: // it is awake
		}
	}
}

// SetReceivers replaces the receivers, for a reload. Attempts under way end
// first; groups that were refused are tried again at once. What is pending for
// a receiver that is gone stays pending, counted and logged, until there is a
// receiver of that name again.
func (d *Dispatcher) SetReceivers(receivers map[string]Receiver) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.receivers = maps.Clone(receivers)
	d.metrics.create(slices.Collect(maps.Keys(receivers)))
	d.replace()
	d.current, d.replace = context.WithCancel(context.Background())
}

// Run works until ctx is done, then gives what is due one more attempt within
// Drain. It returns nil then; trouble with the database is logged and tried
// again.
func (d *Dispatcher) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(d.o.Drain, cancel)
		context.AfterFunc(work, func() { t.Stop() })
	})
	defer stop()
	drained := false
	for ctx.Err() == nil {
		workers, current := d.workers()
		if err := d.resume(ctx, workers); err != nil && ctx.Err() == nil {
			d.log.Error("cannot resume deliveries, trying again", "err", err)
			pause(ctx, time.Second)
			continue
		}
		drained = d.run(ctx, work, current, workers)
	}
	if !drained {
		workers, _ := d.workers()
		d.each(workers, func(w *worker) { w.drain(work) })
	}
	return nil
}

// run runs the workers until ctx is done or the receivers are replaced. When ctx is
// done each drains as soon as its own attempts have ended, whatever the others wait
// for; drained is whether all did.
func (d *Dispatcher) run(ctx, work, current context.Context, workers []*worker) (drained bool) {
	until, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(current, cancel)()
	var replaced atomic.Bool
	d.each(workers, func(w *worker) {
		if w.run(until, work); ctx.Err() == nil {
			replaced.Store(true)
			return
		}
		w.drain(work)
	})
	<-until.Done() // also when there are no receivers to wait for
	return ctx.Err() != nil && !replaced.Load()
}

func (d *Dispatcher) each(workers []*worker, f func(*worker)) {
	var wg sync.WaitGroup
	for _, w := range workers {
		wg.Go(func() { f(w) })
	}
	wg.Wait()
}

// workers makes a worker for each receiver there is now.
func (d *Dispatcher) workers() ([]*worker, context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.wakes)
	var out []*worker
	for _, name := range slices.Sorted(maps.Keys(d.receivers)) {
		w := &worker{
			d: d, name: name, receiver: d.receivers[name], log: d.log.With("receiver", name),
			wake: make(chan struct{}, 1), busy: make(map[string]bool), done: make(chan outcome),
		}
		d.wakes[name] = w.wake
		out = append(out, w)
	}
	return out, d.current
}

// resume tries again what was refused, and says what nobody works.
func (d *Dispatcher) resume(ctx context.Context, workers []*worker) error {
	_, err := d.db.ExecContext(ctx, `UPDATE deliveries SET parked = FALSE, due = $1 WHERE parked`, micros(d.o.Now()))
	if err != nil {
		return fmt.Errorf("unpark deliveries: %w", err)
	}
	all, err := accounts(ctx, d.db)
	if err != nil {
		return err
	}
	for _, a := range all {
		known := slices.ContainsFunc(workers, func(w *worker) bool { return w.name == a.Receiver })
		if a.Pending > 0 && !known {
			d.log.Warn("deliveries are pending for a receiver that is not configured", "receiver", a.Receiver, "pending", a.Pending)
		}
	}
	return nil
}

// pause waits, or less when ctx is done.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
