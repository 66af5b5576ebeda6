package alerting

import (
	"cmp"
	"context"
	"database/sql"
	"log/slog"
	"maps"
	"slices"
	"sync"
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

// SetReceivers replaces the receivers, for a reload. Each takes over when the
// attempts of its predecessor have ended, whatever the others wait for; groups
// that were refused are tried again at once. What is pending for
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
	var wg sync.WaitGroup
	ended := map[string]chan struct{}{} // when the last worker of a receiver has
	for {
		workers, current := d.workers()
		d.tellOrphans(ctx, workers)
		until, cancel := context.WithCancel(ctx)
		context.AfterFunc(current, cancel)
		for _, w := range workers {
			earlier, end := ended[w.name], make(chan struct{})
			ended[w.name] = end
			wg.Go(func() {
				defer close(end)
				if earlier != nil {
					<-earlier // no two attempts of a group at once
				}
				if w.run(until, work); current.Err() == nil {
					w.drain(work)
				}
			})
		}
		<-until.Done()
		cancel()
		if current.Err() == nil { // it is ctx, and these are the receivers to the end
			wg.Wait()
			return nil
		}
	}
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

// tellOrphans says what nobody works.
func (d *Dispatcher) tellOrphans(ctx context.Context, workers []*worker) {
	all, err := accounts(ctx, d.db)
	if err != nil && ctx.Err() == nil {
		d.log.Error("cannot look for deliveries that nobody makes", "err", err)
	}
	for _, a := range all {
		known := slices.ContainsFunc(workers, func(w *worker) bool { return w.name == a.Receiver })
		if a.Pending > 0 && !known {
			d.log.Warn("deliveries are pending for a receiver that is not configured", "receiver", a.Receiver, "pending", a.Pending)
		}
	}
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
