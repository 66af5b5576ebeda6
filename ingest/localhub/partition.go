package localhub

import (
	"fmt"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// message is one event as kept: encoded once, sent as it is to every consumer.
type message struct {
	payload  []byte
	sequence int64
	offset   int64 // where it would begin if the partition were one file
	enqueued int64 // Unix milliseconds
}

// cost is what the event takes of the retention, bookkeeping included.
func (m *message) cost() int64 { return int64(len(m.payload)) + 64 }

// partition is an append-only log with a bounded tail in memory.
type partition struct {
	id        string
	retention int64
	now       func() time.Time
	delivered atomic.Int64

	mu        sync.RWMutex // guards what follows; taken after conn.mu, never before
	log       []*message   // what is kept, by ascending sequence
	next      int64        // sequence number of the next event
	end       int64        // offset of the next event
	last      message      // of the newest event, without payload
	bytes     int64
	evicted   int64
	receivers map[string]*receivers // by lower-case consumer group
}

func newPartition(id string, cfg Config) *partition {
	return &partition{id: id, retention: cfg.RetentionBytes, now: cfg.Now,
		receivers: map[string]*receivers{},
		last:      message{sequence: -1, offset: -1, enqueued: time.Time{}.UnixMilli()}}
}

// append stores events in order and wakes the consumers.
func (p *partition) append(events []event) {
	if len(events) == 0 {
		return
	}
	size := 0
	for i := range events {
		size += events[i].size()
	}
	arena := make([]byte, 0, size) // one allocation for a batch, which also leaves as one
	kept := make([]message, len(events))

	p.mu.Lock()
	defer p.mu.Unlock()
	stamp := max(p.now().UnixMilli(), p.last.enqueued)
	for i := range events {
		m := &kept[i]
		*m = message{sequence: p.next, offset: p.end, enqueued: stamp}
		start := len(arena)
		arena = events[i].encode(arena, m)
		m.payload = arena[start:len(arena):len(arena)]
		p.next++
		p.end += int64(len(m.payload))
		p.bytes += m.cost()
		p.log = append(p.log, m)
		p.last = message{sequence: m.sequence, offset: m.offset, enqueued: m.enqueued}
	}
	p.evict()
	for _, r := range p.receivers {
		r.wake()
	}
}

// evict drops the oldest events beyond the retention, but never the newest.
// Called with mu held.
func (p *partition) evict() {
	n := 0
	for p.bytes > p.retention && n < len(p.log)-1 {
		p.bytes -= p.log[n].cost()
		p.log[n] = nil
		n++
	}
	p.evicted += int64(n)
	p.log = p.log[n:] // append moves the slice to a fresh array from time to time
}

// read appends to dst the events from sequence number from on, or from the
// earliest if that is gone, up to its capacity and about maxBytes.
func (p *partition) read(from int64, dst []*message, maxBytes int) []*message {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if len(p.log) == 0 {
		return dst
	}
	i := max(from-p.log[0].sequence, 0)
	for ; i < int64(len(p.log)) && len(dst) < cap(dst) && maxBytes > 0; i++ {
		maxBytes -= len(p.log[i].payload)
		dst = append(dst, p.log[i])
	}
	return dst
}

// locate turns a start position into the sequence number to read from. Like
// the service it refuses a position beyond the end, which a client can only
// have from a hub that was there before under the same name.
func (p *partition) locate(s selector) (int64, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if s.latest {
		if s.inclusive && p.last.sequence >= 0 {
			return p.last.sequence, nil
		}
		return p.next, nil
	}
	if last := s.of(&p.last); s.value > last && s.annotation != annotationEnqueued {
		what := map[string]string{annotationOffset: "offset", annotationSequence: "sequence number"}[s.annotation]
		return 0, fmt.Errorf("the supplied %s '%d' is invalid; the last %s in the system is '%d'", what, s.value, what, last)
	}
	i := sort.Search(len(p.log), func(i int) bool { return s.admits(p.log[i]) })
	if i == len(p.log) {
		return p.next, nil
	}
	return p.log[i].sequence, nil
}

// properties is what $management tells of a partition.
type properties struct {
	begin, last int64
	lastOffset  string
	lastTime    time.Time
	empty       bool
}

func (p *partition) properties() properties {
	p.mu.RLock()
	defer p.mu.RUnlock()
	pr := properties{begin: p.next, last: p.last.sequence, lastOffset: strconv.FormatInt(p.last.offset, 10),
		lastTime: time.UnixMilli(p.last.enqueued).UTC(), empty: len(p.log) == 0}
	if len(p.log) > 0 {
		pr.begin = p.log[0].sequence
	}
	return pr
}
