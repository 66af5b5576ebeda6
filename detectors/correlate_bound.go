package detectors

import (
	"fmt"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
)

// bound keeps the windows within their bounds: by time, which drops nothing that
// counts, then by number, which does and is counted.
func (c *correlator) bound(j journal) error {
	for _, n := range c.nodes {
		c.trim(n)
		if err := c.sweep(j, n); err != nil {
			return fmt.Errorf("drop old windows of %s: %w", n.rule.Entry, err)
		}
	}
	for c.samples > c.bounds.samples {
		n := slices.MaxFunc(c.nodes, func(a, b *node) int { return a.samples - b.samples })
		if err := c.dropFirst(j, n); err != nil {
			return fmt.Errorf("drop the first events of %s: %w", n.rule.Entry, err)
		}
	}
	for c.windows > c.bounds.windows {
		c.dropIdlest(slices.MaxFunc(c.nodes, func(a, b *node) int { return len(a.windows) - len(b.windows) }))
	}
	return nil
}

// trim drops from the windows that the batch touched what is out of reach, and
// what is too much.
func (c *correlator) trim(n *node) {
	for _, w := range n.touched {
		if w.Window[0].At < w.newest-n.retain() {
			c.dropped(n, w.DropBefore(w.newest-n.retain()), "")
		}
		if excess := len(w.Window) - n.capacity; excess > 0 {
			w.DropFirst(excess)
			c.dropped(n, excess, fullWindow)
		}
	}
}

func (c *correlator) dropped(n *node, count int, reason eviction) {
	n.samples -= count
	c.samples -= count
	if reason != "" {
		c.metrics.evicted[reason].Add(float64(count))
	}
}

func (c *correlator) forget(n *node, w *groupWindow, reason eviction) {
	c.dropped(n, len(w.Window), reason)
	w.Window = nil
	delete(n.windows, w.key)
	c.windows--
}

// sweep drops windows that are long idle, and the rows that no window can
// reach, every now and then.
func (c *correlator) sweep(j journal, n *node) error {
	horizon := c.newest - n.idle()
	if c.newest < n.swept+n.idle()/16 {
		return nil
	}
	n.swept = c.newest
	for _, w := range n.windows {
		if w.newest < horizon && !w.touched {
			c.forget(n, w, "")
		}
	}
	horizon -= n.retain()
	n.batches = slices.DeleteFunc(n.batches, func(b batchInfo) bool { return b.newest < horizon })
	return j.dropOlder(n.name, horizon)
}

// dropFirst drops an eighth of a correlation's samples: those that came first.
func (c *correlator) dropFirst(j journal, n *node) error {
	var last int64
	i, count := 0, 0
	for ; i < len(n.batches) && count <= n.samples/8; i++ {
		last, count = n.batches[i].seq, count+n.batches[i].samples
	}
	if i == len(n.batches) { // all of it, also what this batch has added
		last = c.seq + 1
	}
	n.batches = slices.Delete(n.batches, 0, i)
	for _, w := range n.windows {
		before := len(w.Window)
		w.Window = slices.DeleteFunc(w.Window, func(s sigma.Sample) bool {
			seq, _ := untag(s.Tag)
			return seq <= last
		})
		c.dropped(n, before-len(w.Window), full)
		if len(w.Window) == 0 {
			c.forget(n, w, "")
		}
	}
	return j.dropFirst(n.name, last)
}

// dropIdlest drops an eighth of a correlation's windows: those longest without
// an event.
func (c *correlator) dropIdlest(n *node) {
	all := make([]*groupWindow, 0, len(n.windows))
	for _, w := range n.windows {
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b *groupWindow) int {
		switch {
		case a.newest < b.newest:
			return -1
		case a.newest > b.newest:
			return 1
		}
		return strings.Compare(a.key, b.key)
	})
	for _, w := range all[:len(all)/8+1] {
		c.forget(n, w, tooManyWindows)
	}
}
