package localhub

import (
	"fmt"
	"strings"
	"time"

	"phiwatch/ingest/localhub/internal/amqp"
)

// readAhead is how many events a consumer takes from its partition at once.
const readAhead = 128

// consumer feeds an outlet from a partition.
type consumer struct {
	hub       *Hub
	partition *partition
	group     *receivers
	outlet    *outlet

	from  int64      // sequence number to read next
	ahead []*message // read but not sent
	store [readAhead]*message
	due   time.Time // of a delivery that a fault holds back
	again *message  // that a fault sends a second time
}

// consume makes the feed of a receiving link, taking its place among the
// partition's receivers, which may detach others.
func (c *conn) consume(o *outlet, where string, a amqp.Attach) (feed, error) {
	addr, ok := parseAddress(where)
	e, cond := c.entityOf(addr, ok && addr.part != "" && addr.group != "", where)
	if cond != nil {
		return nil, cond
	}
	if cond := c.hub.faults.refusedAttach(); cond != nil {
		return nil, cond
	}
	group := strings.ToLower(addr.group)
	if !e.groups[group] {
		return nil, &condition{condNotFound, fmt.Sprintf("the consumer group '%.200s' could not be found", addr.group)}
	}
	sel, err := sourceSelector(a.Source)
	if err != nil {
		return nil, &condition{condArgument, err.Error()}
	}
	p := e.partition(addr.part)
	from, err := p.locate(sel)
	if err != nil {
		return nil, &condition{condArgument, err.Error()}
	}
	f := &consumer{hub: c.hub, partition: p, outlet: o, from: from}
	level, hasLevel := ownerLevel(a.Properties)
	name := a.Properties.String("com.microsoft:receiver-name")
	r, losers, cond := p.join(group, f, level, hasLevel, name)
	if cond != nil {
		return nil, cond
	}
	f.group = r
	for _, l := range losers {
		l.outlet.detach(stolen(l, name, level))
	}
	return f, nil
}

// ownerLevel is the epoch in an attach's properties, of any integer type.
func ownerLevel(m amqp.Map) (int64, bool) {
	switch v := m["com.microsoft:epoch"].(type) {
	case int64:
		return v, true
	case uint64:
		return int64(v), true
	}
	return 0, false
}

func (f *consumer) release() { f.partition.leave(f) }

func (f *consumer) next() (payload []byte, wait time.Duration, cut bool) {
	if f.hub.faults.armed.Load() {
		return f.faulty()
	}
	m := f.peek()
	if m == nil {
		return nil, 0, false
	}
	f.advance()
	return m.payload, 0, false
}

// peek is the event to send next, nil if there is none yet.
func (f *consumer) peek() *message {
	if f.again != nil {
		return f.again
	}
	if len(f.ahead) == 0 {
		f.ahead = f.partition.read(f.from, f.store[:0], writeSize)
		if len(f.ahead) == 0 {
			return nil
		}
	}
	return f.ahead[0]
}

func (f *consumer) advance() {
	if f.again != nil {
		f.again = nil
	} else {
		f.from = f.ahead[0].sequence + 1
		f.ahead[0] = nil
		f.ahead = f.ahead[1:]
	}
	f.partition.delivered.Add(1)
}

// faulty is next while faults are set.
func (f *consumer) faulty() (payload []byte, wait time.Duration, cut bool) {
	m := f.peek()
	if m == nil {
		return nil, 0, false
	}
	if delay := f.hub.faults.delay(); delay > 0 {
		now := time.Now()
		if f.due.IsZero() {
			f.due = now.Add(delay)
		}
		if wait := f.due.Sub(now); wait > 0 {
			return nil, wait, false
		}
		f.due = time.Time{}
	}
	twice := f.again == nil && f.hub.faults.duplicate()
	f.advance()
	if twice {
		f.again = m
	}
	return m.payload, 0, f.hub.faults.cutNow()
}
