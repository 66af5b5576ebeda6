package main

import (
	"fmt"
	"maps"
	"sync"

	"phiwatch/ingest"
)

// counts are the sums of the promise's first identity:
// received = evaluated + quarantined.
type counts struct {
	messages    int64
	received    int64 // records
	kinds       map[ingest.Kind]int64
	quarantined map[ingest.Reason]int64
	repaired    int64
}

func newCounts() counts {
	return counts{kinds: map[ingest.Kind]int64{}, quarantined: map[ingest.Reason]int64{}}
}

// evaluated is how many records every rule has seen.
func (c *counts) evaluated() (n int64) {
	for _, k := range c.kinds {
		n += k
	}
	return n
}

func (c *counts) inQuarantine() (n int64) {
	for _, q := range c.quarantined {
		n += q
	}
	return n
}

// check returns an error when a record has been lost or counted twice.
func (c *counts) check() error {
	if got := c.evaluated() + c.inQuarantine(); got != c.received {
		return fmt.Errorf("received %d records, but evaluated %d and quarantined %d", c.received, c.evaluated(), c.inQuarantine())
	}
	return nil
}

// totals adds up the counts of decided batches. Safe for concurrent use.
type totals struct {
	mu sync.Mutex
	c  counts
}

func (t *totals) add(c counts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.c.kinds == nil {
		t.c = newCounts()
	}
	t.c.messages += c.messages
	t.c.received += c.received
	t.c.repaired += c.repaired
	for k, n := range c.kinds {
		t.c.kinds[k] += n
	}
	for r, n := range c.quarantined {
		t.c.quarantined[r] += n
	}
}

// sum returns a copy of the counts so far.
func (t *totals) sum() counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.c.kinds == nil {
		return newCounts()
	}
	c := t.c
	c.kinds, c.quarantined = maps.Clone(c.kinds), maps.Clone(c.quarantined)
	return c
}
