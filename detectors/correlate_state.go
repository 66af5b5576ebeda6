package detectors

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math"
	"math/rand/v2"

	"phiwatch/detectors/sigma"
)

// correlator holds the windows of an engine's correlations. It is Apply's, which
// is serial.
type correlator struct {
	nodes   []*node // inner ones before those that name them
	byID    map[uint64]*node
	byName  map[string]*node
	bounds  bounds
	metrics *Metrics
	seed    maphash.Seed // hashes are not kept: nobody can prepare values that collide
	process string       // tells writers apart
	batches int

	seq     int64  // the last batch that is in the windows
	writer  string // and whose it is
	stale   bool   // the windows are not what any journal says
	newest  int64  // event time ever seen
	samples int
	windows int

	matches []*Match         // of the batch
	rows    map[place][]byte // of earlier batches, as read for the findings of this one
}

// place is where a row stands in the journal.
type place struct {
	seq         int64
	correlation string
}

// node is the state of one correlation.
type node struct {
	*correlation
	judge   *sigma.Judge
	windows map[string]*groupWindow
	samples int
	batches []batchInfo // whose rows are in the journal
	pending pending     // of a condition that waits
	swept   int64       // newest event time when idle windows were last dropped

	touched []*groupWindow // by the batch
	row     []byte         // what the batch feeds: records, each preceded by its length
	origins []origin       // of the records in row
	latest  int64          // event in row
	firing  *groupWindow   // being judged
	fired   []firing
	tallies map[tallied]int // of a baseline, by the batch
	onHeld  func(int)
}

type batchInfo struct {
	seq, newest int64
	samples     int
}

// origin says which match of the batch a record comes from.
type origin struct{ offset, match int }

type groupWindow struct {
	sigma.Window
	key      string
	newest   int64 // event time seen
	was      int64 // newest before the batch, of a window that it touched
	from, to int64 // event times that the batch added
	touched  bool
}

type firing struct {
	w  *groupWindow
	at int // place in the window
}

func newCorrelator(list []*correlation, m *Metrics) *correlator {
	c := &correlator{
		byID: map[uint64]*node{}, byName: map[string]*node{}, bounds: defaultBounds, metrics: m,
		seed: maphash.MakeSeed(), process: fmt.Sprintf("%016x", rand.Uint64()),
	}
	for _, cor := range list {
		n := &node{correlation: cor, judge: sigma.NewJudge(cor.doc), windows: map[string]*groupWindow{}}
		n.onHeld = n.held
		c.nodes = append(c.nodes, n)
		c.byID[cor.id], c.byName[cor.name] = n, n
	}
	return c
}

// A tag says where the record of a sample is: batch and offset in its row.
const offsetBits = 28

func tag(seq int64, offset int) uint64 { return uint64(seq)<<offsetBits | uint64(offset) }

func untag(t uint64) (seq int64, offset int) {
	return int64(t >> offsetBits), int(t & (1<<offsetBits - 1))
}

// apply takes what a batch fed into the windows and the journal, and returns
// what the correlations find.
func (c *correlator) apply(j journal, matches []*Match) ([]Finding, error) {
	latest, fed := newestFed(matches)
	if !fed {
		return nil, nil
	}
	if err := c.sync(j); err != nil {
		return nil, err
	}
	c.stale = true // until everything is written
	for _, n := range c.nodes {
		clear(n.tallies) // of a batch that failed
	}
	before := c.newest
	c.newest = max(before, latest)
	c.matches = matches
	seq := c.seq + 1
	for i, m := range matches {
		if err := c.feed(m.feeds, i, seq); err != nil {
			return nil, err
		}
	}
	findings, err := c.judge(j, seq)
	if err != nil {
		return nil, err
	}
	if err := c.bound(j); err != nil {
		return nil, err
	}
	if err := c.write(j, seq, c.newest > before); err != nil {
		return nil, err
	}
	c.matches, c.rows, c.stale = nil, nil, false
	c.metrics.windows.Set(float64(c.windows))
	c.metrics.samples.Set(float64(c.samples))
	return findings, nil
}

func newestFed(matches []*Match) (latest int64, fed bool) {
	for _, m := range matches {
		if len(m.feeds) == 0 {
			continue
		}
		latest, fed = max(latest, m.seen), true
	}
	return latest, fed
}

// feed takes the entries of one match in. Those of correlations that are not
// loaded any more are left out.
func (c *correlator) feed(feeds []byte, match int, seq int64) error {
	if len(feeds) == 0 {
		return nil
	}
	r := reader{b: feeds}
	at, seen, event := r.moment()
	meta := feeds[:len(feeds)-len(r.b)]
	s := sigma.Sample{At: at, Event: maphash.Bytes(c.seed, event)}
	return c.entries(&r, meta, s, seen, match, seq)
}

func (c *correlator) entries(r *reader, meta []byte, s sigma.Sample, seen int64, match int, seq int64) error {
	for len(r.b) > 0 {
		e := r.entry()
		if r.bad {
			return errFeed
		}
		n := c.byID[e.to]
		if n == nil {
			continue
		}
		s.Tag = tag(seq, len(n.row))
		if !c.accept(n, s, &e, seen, true) {
			continue
		}
		n.origins = append(n.origins, origin{len(n.row), match})
		n.latest = max(n.latest, seen)
		n.row = binary.LittleEndian.AppendUint32(n.row, uint32(len(meta)+len(e.whole)))
		n.row = append(append(n.row, meta...), e.whole...)
	}
	return nil
}

// accept puts a sample into its window, unless it is there or comes too late.
func (c *correlator) accept(n *node, s sigma.Sample, e *feedEntry, seen int64, fresh bool) bool {
	w := n.windows[string(e.key)]
	if w == nil {
		w = &groupWindow{key: string(e.key), newest: math.MinInt64}
		n.windows[w.key] = w
		c.windows++
	}
	// What a batch holds is late against what came before it only: inner
	// correlations tell what they find of its first events after its last ones.
	newest := w.newest
	if w.touched {
		newest = w.was
	}
	late := fresh && newest != math.MinInt64 && s.At < newest-n.lateness
	if late {
		c.metrics.skipped[tooLate].Inc()
		if s.At < newest-n.reach() {
			return false
		}
	}
	s.Rule = e.place
	switch {
	case n.doc.Numeric() && len(e.value) == 8:
		s.Value = binary.LittleEndian.Uint64(e.value)
	case n.doc.Type == sigma.ValueCount:
		s.Value = maphash.Bytes(c.seed, e.value)
	}
	if !w.Insert(s) {
		return false
	}
	if fresh {
		n.tally(w.key, s.At)
	}
	n.samples++
	c.samples++
	if !w.touched {
		w.touched, w.was, w.from, w.to = true, w.newest, s.At, s.At
		n.touched = append(n.touched, w)
	}
	w.newest = max(w.newest, seen)
	w.from, w.to = min(w.from, s.At), max(w.to, s.At)
	if n.waits {
		heap.Push(&n.pending, judgement{s.At, w})
	}
	return true
}
