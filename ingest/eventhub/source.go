package eventhub

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/ingest"
)

// Source reads several event hubs. It is an ingest.Source.
type Source struct {
	hubs []*hub
}

var _ ingest.Source = (*Source)(nil)

// timing is every duration of the package, apart so that tests can shorten it.
type timing struct {
	now                    func() time.Time
	update                 time.Duration // between looks at the ownership table
	expire                 time.Duration // after which an unrenewed ownership is anybody's
	poll                   time.Duration // between questions for the end of each partition
	answer                 time.Duration // for which an answer is waited
	retryMin, retryMax     time.Duration // pause before a batch is delivered again
	rebuildMin, rebuildMax time.Duration // pause before a failed hub is built anew
	grace                  time.Duration // for the batch in hand at shutdown
	close                  time.Duration // for goodbyes to the service
}

// The ownership times are half of the SDK's defaults: a crashed replica's
// partitions are read by another after 30 s.
var defaultTiming = timing{
	now: time.Now, update: 5 * time.Second, expire: 30 * time.Second,
	poll: 10 * time.Second, answer: 10 * time.Second,
	retryMin: 100 * time.Millisecond, retryMax: 30 * time.Second,
	rebuildMin: time.Second, rebuildMax: time.Minute,
	grace: 10 * time.Second, close: 5 * time.Second,
}

// New checks c and prepares its hubs; it reads credential files, but dials
// nothing. The migrations of package ingest must be applied to db.
func New(c Config, db *sql.DB, log *slog.Logger, reg prometheus.Registerer) (*Source, error) {
	return newSource(c, db, log, reg, defaultTiming)
}

func newSource(c Config, db *sql.DB, log *slog.Logger, reg prometheus.Registerer, t timing) (*Source, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.PrefetchBytes == 0 {
		c.PrefetchBytes = DefaultPrefetchBytes
	}
	s := &Source{}
	shared := shared{
		store: NewStore(db), owner: ownerID(), timing: t, sole: c.Sole,
		budget: &budget{total: c.PrefetchBytes},
	}
	var errs []error
	var names []string
	for i, conf := range c.Hubs {
		h, err := newHub(conf, shared, log.With("component", "eventhub"))
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("hubs[%d].%w", i, err))
		case slices.Contains(names, h.name):
			errs = append(errs, fmt.Errorf("hubs[%d].hub: %s is already read by another entry; leave one out", i, h.name))
		default:
			s.hubs = append(s.hubs, h)
			names = append(names, h.name)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	m := newMetrics(reg, names)
	for _, h := range s.hubs {
		h.metrics = m
	}
	return s, nil
}

// ownerID names this process to the service and among the replicas: its host,
// for people, and something that no other has. The service allows 64 characters.
func ownerID() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "phiwatch"
	}
	return host[:min(len(host), 36)] + "-" + rand.Text()
}

// Observer is told how far behind each partition is. Its methods are called
// concurrently for different partitions. *ingest.Metrics is one.
type Observer interface {
	// Lag is called some every 10 s for each partition being read, idle ones
	// too: messages not decided yet, and for how long there has been one.
	Lag(p ingest.Partition, events int64, behind time.Duration)
	// Forget is called when this process does not read p any more.
	Forget(p ingest.Partition)
}

// Observe tells o from now on. Call it before Run.
func (s *Source) Observe(o Observer) {
	for _, h := range s.hubs {
		h.observer = o
	}
}

// OnRelease has f called each time the batches of a hub are done and its
// partitions are about to be given up, at the end of Run for one: the last
// moment to store a position that was put off. f gets a context that is good
// for some seconds. Call it before Run.
func (s *Source) OnRelease(f func(context.Context)) {
	for _, h := range s.hubs {
		h.onRelease = f
	}
}

// Run reads all hubs until ctx ends. A hub that fails is tried again with
// rising pauses; none of them stops the others or Run.
//
// At the end, receiving stops first; the batches in hand are decided; then the
// partitions are given up, so that another replica takes them at once.
func (s *Source) Run(ctx context.Context, handle func(context.Context, ingest.Batch) error) error {
	var wg sync.WaitGroup
	for _, h := range s.hubs {
		wg.Go(func() { h.run(ctx, handle) })
	}
	<-ctx.Done()
	wg.Wait()
	return nil
}

// Hubs returns how each hub is doing, in the order of the configuration.
func (s *Source) Hubs() []HubState {
	out := make([]HubState, 0, len(s.hubs))
	for _, h := range s.hubs {
		out = append(out, h.look())
	}
	return out
}

// Ready returns nil when every hub is connected and no batch is stuck, or else why not.
func (s *Source) Ready() error {
	var errs []error
	for _, l := range s.Lags() {
		if l.Stuck != nil {
			errs = append(errs, fmt.Errorf("hub %s, partition %s: batch not decided: %w", l.Hub, l.ID, l.Stuck))
		}
	}
	for _, st := range s.Hubs() {
		switch {
		case st.Connected:
		case st.LastError != nil:
			errs = append(errs, st.LastError)
		default:
			errs = append(errs, fmt.Errorf("hub %s: not connected yet", st.Hub))
		}
	}
	return errors.Join(errs...)
}

// Lags returns the lag of each partition that this process reads, idle ones too.
func (s *Source) Lags() []Lag {
	var out []Lag
	for _, h := range s.hubs {
		out = append(out, h.lags()...)
	}
	return out
}
