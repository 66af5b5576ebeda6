package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// A stage that fails now and then is not worth a word; one that goes on failing
// makes the daemon not ready, by its newest error, until it succeeds.
func TestClockworkTellsWhatGoesOnFailing(t *testing.T) {
	c := newClockwork(prometheus.NewRegistry())
	start := time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)
	at := func(after time.Duration) time.Time { return start.Add(after) }
	c.ran(stageSweep, at(0), nil)
	c.ran(stageWatch, at(0), nil)
	c.ran(stageWatch, at(30*time.Second), errors.New("the disk is full"))
	c.ran(stageWatch, at(60*time.Second), nil)
	c.ran(stageWatch, at(90*time.Second), errors.New("the disk is full"))
	c.ran(stageWatch, at(3*time.Minute), errors.New("the file is gone"))
	if err := c.ready(at(3 * time.Minute)); err != nil {
		t.Errorf("not ready after a minute and a half: %v", err)
	}
	err := c.ready(at(4 * time.Minute))
	if err == nil || !strings.Contains(err.Error(), "watch: fails since 2026-09-14T08:01:30Z: the file is gone") {
		t.Errorf("ready says %v after two and a half minutes", err)
	}
	if got, want := testutil.ToFloat64(c.last.WithLabelValues(stageWatch)), float64(at(time.Minute).Unix()); got != want {
		t.Errorf("the last success was at %v, want %v", got, want)
	}
	c.ran(stageWatch, at(5*time.Minute), nil)
	c.ran(stageSweep, at(5*time.Minute), nil)
	if err := c.ready(at(9 * time.Minute)); err != nil {
		t.Errorf("not ready after a success: %v", err)
	}
	c.ran(stageWatch, at(9*time.Minute), nil)
	err = c.ready(at(11 * time.Minute)) // the sweep hangs
	if err == nil || !strings.Contains(err.Error(), "sweep: has not come to an end since 2026-09-14T08:05:00Z") {
		t.Errorf("ready says %v while the sweep hangs", err)
	}
}

// The watch of a daemon whose state is damaged is missed, although no event comes.
func TestAWatchThatFailsIsMissed(t *testing.T) {
	d, _ := idleDaemonOf(t)
	if _, err := d.db.Exec("DROP TABLE blind_streams"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.keepWatch(ctx); err != nil { // it judges once more at the end
		t.Fatal(err)
	}
	now := time.Now()
	if err := d.clock.ready(now); err != nil {
		t.Errorf("not ready at once: %v", err)
	}
	if err := d.clock.ready(now.Add(maxFailing + time.Minute)); err == nil || !strings.Contains(err.Error(), "blind_streams") {
		t.Errorf("ready says %v of a watch that goes on failing", err)
	}
}
