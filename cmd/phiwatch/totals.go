package main

import (
	"sync"

	"phiwatch/ingest"
)

// totals adds up the tallies of decided batches. Safe for concurrent use.
type totals struct {
	mu sync.Mutex
	t  ingest.Tally
}

func (t *totals) add(o *ingest.Tally) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.t.Add(o)
}

// sum returns a copy of the sums so far.
func (t *totals) sum() *ingest.Tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &ingest.Tally{}
	c.Add(&t.t)
	return c
}
