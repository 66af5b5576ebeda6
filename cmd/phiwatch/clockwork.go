package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// clockwork knows how those stages do that no event drives: nobody misses them
// while they fail, least of all the one that notices what is missing.
type clockwork struct {
	last *prometheus.GaugeVec

	mu      sync.Mutex
	failing map[string]failure   // by stage, as the following
	done    map[string]time.Time // when it last came to an end; at first the start
}

// failure is the newest error of a stage, and since when there is no success.
type failure struct {
	since time.Time
	err   error
}

// stages of clockwork, which are a metric's label.
const (
	stageWatch = "watch"
	stageSweep = "sweep"
)

// maxFailing is how long a stage may fail before the daemon is not ready, maxHanging
// how long it may not come to an end.
const (
	maxFailing = 2 * time.Minute
	maxHanging = 5 * time.Minute
)

func newClockwork(reg prometheus.Registerer) *clockwork {
	c := &clockwork{failing: map[string]failure{}, done: map[string]time.Time{}, last: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "phiwatch_clock_last_success_timestamp_seconds",
		Help: "When what goes by the clock was last done without error: the watch over the audit trail, the sweep of the ledger. At first the start.",
	}, []string{"stage"})}
	reg.MustRegister(c.last)
	for _, stage := range []string{stageWatch, stageSweep} {
		c.last.WithLabelValues(stage).SetToCurrentTime()
		c.done[stage] = time.Now()
	}
	return c
}

// ran notes how a stage did.
func (c *clockwork) ran(stage string, now time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done[stage] = now
	if err == nil {
		delete(c.failing, stage)
		c.last.WithLabelValues(stage).Set(float64(now.UnixMilli()) / 1000)
		return
	}
	f, fails := c.failing[stage]
	if !fails {
		f.since = now
	}
	f.err = err
	c.failing[stage] = f
}

// ready returns what has failed for too long, or nil.
func (c *clockwork) ready(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, stage := range []string{stageWatch, stageSweep} {
		if f, fails := c.failing[stage]; fails && now.Sub(f.since) > maxFailing {
			return fmt.Errorf("%s: fails since %s: %w", stage, f.since.UTC().Format(time.RFC3339), f.err)
		}
		if done := c.done[stage]; now.Sub(done) > maxHanging {
			return fmt.Errorf("%s: has not come to an end since %s", stage, done.UTC().Format(time.RFC3339))
		}
	}
	return nil
}
