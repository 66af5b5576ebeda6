package localhub

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Faults makes a hub fail in the ways the service does. Its methods may be
// called at any time, concurrently. Counted faults add up and are used up.
type Faults struct {
	hub   *Hub
	armed atomic.Bool // some fault of deliveries is set: keeps the usual path free of mu

	mu         sync.Mutex // guards what follows
	hold       time.Duration
	duplicates int
	cutIn      int // deliveries until a cut, 0 for none
	tokens     int
	attaches   int
	attachCond string
	sends      int
	sendCond   string
}

// Cut breaks every connection without a word, as a failing network does. It
// returns how many there were.
func (f *Faults) Cut() int {
	conns := f.hub.connections()
	for _, c := range conns {
		c.cut()
	}
	return len(conns)
}

// CutAfter breaks the connection that carries the n-th delivery to a consumer
// from now on, behind that delivery. 0 calls it off.
func (f *Faults) CutAfter(n int) {
	f.set(func() { f.cutIn = n })
}

// Detach detaches the consumers of a partition with the given condition, such
// as ServerBusy, and returns how many there were.
func (f *Faults) Detach(hub, partition, cond string) int {
	e := f.hub.entity(hub)
	if e == nil || e.partition(partition) == nil {
		return 0
	}
	n := 0
	for _, m := range e.partition(partition).members() {
		if m.outlet.detach(&condition{cond, "detached on purpose"}) {
			n++
		}
	}
	return n
}

// RefuseAttaches refuses the next n links to hubs with the given condition.
func (f *Faults) RefuseAttaches(n int, cond string) {
	f.set(func() { f.attaches, f.attachCond = f.attaches+n, cond })
}

// RefuseSends rejects the next n messages or batches with the given condition.
func (f *Faults) RefuseSends(n int, cond string) {
	f.set(func() { f.sends, f.sendCond = f.sends+n, cond })
}

// RefuseTokens refuses the next n tokens, right or not.
func (f *Faults) RefuseTokens(n int) {
	f.set(func() { f.tokens += n })
}

// Delay holds every delivery to a consumer back for d. 0 calls it off.
func (f *Faults) Delay(d time.Duration) {
	f.set(func() { f.hold = d })
	for _, c := range f.hub.connections() {
		c.signal()
	}
}

// Duplicate sends the next n deliveries to consumers twice.
func (f *Faults) Duplicate(n int) {
	f.set(func() { f.duplicates += n })
}

func (f *Faults) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	f.armed.Store(f.hold > 0 || f.duplicates > 0 || f.cutIn > 0)
}

// use uses up one of a counted fault.
func (f *Faults) use(n *int) bool {
	if *n <= 0 {
		return false
	}
	*n--
	f.armed.Store(f.hold > 0 || f.duplicates > 0 || f.cutIn > 0)
	return true
}

func (f *Faults) delay() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hold
}

func (f *Faults) duplicate() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.use(&f.duplicates)
}

func (f *Faults) cutNow() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.use(&f.cutIn) && f.cutIn == 0
}

func (f *Faults) refusedToken() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.use(&f.tokens) {
		return nil
	}
	return errors.New("refused on purpose")
}

func (f *Faults) refusedAttach() *condition {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.use(&f.attaches) {
		return nil
	}
	return &condition{f.attachCond, "refused on purpose"}
}

func (f *Faults) refusedSend() *condition {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.use(&f.sends) {
		return nil
	}
	return &condition{f.sendCond, "refused on purpose"}
}

// members are the consumers of a partition, of all consumer groups.
func (p *partition) members() []*consumer {
	p.mu.RLock()
	defer p.mu.RUnlock()
	var all []*consumer
	for _, r := range p.receivers {
		all = append(all, r.members...)
	}
	return all
}
