package detectors

import (
	"fmt"
	"hash/maphash"
	"math"

	"phiwatch/detectors/sigma"
)

// sync makes the windows what the journal says, as this transaction sees it.
func (c *correlator) sync(j journal) error {
	seq, writer, newest, err := j.head()
	if err != nil {
		return fmt.Errorf("take the journal of correlations: %w", err)
	}
	if c.stale || seq != c.seq || writer != c.writer {
		if err := c.catchUp(j, seq, newest); err != nil {
			return fmt.Errorf("rebuild correlation windows: %w", err)
		}
	}
	c.seq, c.writer, c.newest = seq, writer, newest
	return nil
}

// catchUp reads what others wrote. If the last batch of the windows is not in
// the journal, since its transaction was rolled back, they are built anew.
func (c *correlator) catchUp(j journal, seq, newest int64) error {
	known := false
	if !c.stale && c.seq > 0 && c.seq < seq {
		var err error
		if known, err = j.has(c.seq, c.writer); err != nil {
			return err
		}
	}
	if !known {
		c.reset()
	}
	c.stale, c.newest = true, newest
	forgotten := map[string]bool{}
	err := j.rows(c.seq, func(r journalRow) error {
		n := c.byName[r.correlation]
		if n == nil {
			forgotten[r.correlation] = true
			return nil
		}
		return c.restore(n, r)
	})
	if err != nil {
		return err
	}
	for _, n := range c.nodes {
		n.settle(newest)
	}
	for name := range forgotten { // a rule that comes back soon finds its windows
		if err := j.dropOlder(name, newest-maxLateness.Microseconds()); err != nil {
			return err
		}
	}
	c.stale = false
	return nil
}

// reset empties all windows.
func (c *correlator) reset() {
	for _, n := range c.nodes {
		clear(n.windows)
		clear(n.touched)
		n.samples, n.batches, n.pending, n.swept = 0, nil, nil, 0
		n.touched, n.fired = n.touched[:0], n.fired[:0]
		n.row, n.origins, n.latest, n.firing = n.row[:0], n.origins[:0], 0, nil
	}
	c.samples, c.windows, c.seq, c.writer = 0, 0, 0, ""
	c.matches, c.rows = nil, nil
}

// restore puts a row of the journal into the windows.
func (c *correlator) restore(n *node, row journalRow) error {
	before := n.samples
	r := reader{b: row.data}
	for len(r.b) > 0 {
		t := tag(row.seq, len(row.data)-len(r.b))
		rec := reader{b: r.block()}
		at, seen, event := rec.moment()
		e := rec.entry()
		if r.bad || rec.bad {
			return fmt.Errorf("batch %d of %s: %w", row.seq, row.correlation, errFeed)
		}
		c.accept(n, sigma.Sample{At: at, Event: maphash.Bytes(c.seed, event), Tag: t}, &e, seen, false)
	}
	n.batches = append(n.batches, batchInfo{row.seq, row.newest, n.samples - before})
	return nil
}

// settle notes what was judged in the batches that were restored.
func (n *node) settle(newest int64) {
	for _, w := range n.touched {
		w.touched = false
		n.firing = w
		if !n.waits {
			n.judge.Judge(w.Window, math.MinInt64, math.MaxInt64, n.onHeld)
		}
	}
	n.touched, n.fired = n.touched[:0], n.fired[:0]
	n.judgeTouched(newest)
	n.fired = n.fired[:0]
}

// write appends what the batch fed to the journal. moved says that the newest
// event time changed, which may have judged what waited.
func (c *correlator) write(j journal, seq int64, moved bool) error {
	c.batches++
	writer := fmt.Sprintf("%s-%d", c.process, c.batches)
	wrote := false
	for _, n := range c.nodes {
		if len(n.row) > 0 {
			wrote = true
			row := journalRow{seq: seq, correlation: n.name, writer: writer, newest: n.latest, events: len(n.origins), data: n.row}
			if err := j.write(row); err != nil {
				return fmt.Errorf("append to the journal of correlations: %w", err)
			}
			n.batches = append(n.batches, batchInfo{seq, n.latest, len(n.origins)})
		}
		n.row, n.origins, n.latest = n.row[:0], n.origins[:0], 0
		n.touched = n.touched[:0]
	}
	if !wrote && !moved {
		return nil
	}
	if err := j.advance(seq, writer, c.newest); err != nil {
		return fmt.Errorf("advance the journal of correlations: %w", err)
	}
	c.seq, c.writer = seq, writer
	return nil
}
