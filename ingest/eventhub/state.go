package eventhub

import (
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"phiwatch/ingest"
)

// HubState is how one hub is doing.
type HubState struct {
	Hub         string    // as ingest.HubName writes it
	Connected   bool      // it answered when last asked, at most some 10 s ago
	Partitions  []string  // those this process reads
	Of          int       // how many the hub has; 0 if it has not answered yet
	LastReceive time.Time // when a message last arrived; zero if none has
	LastError   *Error    // the newest, kept when things are well again; nil if there was none
	LastErrorAt time.Time
}

// Lag is how far one partition is behind.
type Lag struct {
	ingest.Partition
	Events int64 // messages not decided yet; -1 if not known yet
	// Behind is how long there has been a message not decided yet; 0 when
	// there is none. An upper bound: the age of the last one decided, or the
	// time since the partition was last seen without a backlog.
	Behind time.Duration
	// Expired is up to which message the hub has given up ones that were not
	// decided, and After the last one decided; both 0 if it has not, as far as is
	// known. It does not count in Events. While the batch in hand is decided,
	// messages of it may look expired.
	After, Expired int64
	// Stuck is what stops the batch in hand; nil when all is well.
	Stuck error
}

// state is what a hub and its partitions look like from outside.
type state struct {
	mu    sync.Mutex // guards all below
	hub   HubState
	parts map[string]*partState // those being read
	anew  map[string]bool       // those whose next batch is the first of a hub made anew
}

// partState is one partition's progress.
type partState struct {
	known    bool      // sequence is meaningful
	sequence int64     // of the last message decided
	enqueued time.Time // when the hub accepted that message
	tail     int64     // of the last message in the hub, as last asked
	first    int64     // of the first message the hub still has
	asked    bool      // tail and first are meaningful
	caughtUp time.Time // when there was last no backlog
	stuck    error
}

// change runs f under the lock.
func (s *state) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *state) received(now time.Time) { s.change(func() { s.hub.LastReceive = now }) }

func (s *state) stuck(id string, err error) {
	s.change(func() {
		if p := s.parts[id]; p != nil {
			p.stuck = err
		}
	})
}

// at notes where a partition starts: sequence is the last message decided before.
func (s *state) at(id string, sequence int64, enqueued time.Time) {
	s.change(func() {
		p := s.part(id)
		p.known, p.sequence, p.enqueued = true, sequence, enqueued
	})
}

func (s *state) part(id string) *partState {
	p := s.parts[id]
	if p == nil {
		p = &partState{}
		s.parts[id] = p
	}
	return p
}

func (s *state) decided(id string, m ingest.Message) {
	s.change(func() {
		p := s.part(id)
		delete(s.anew, id)
		p.known, p.sequence, p.enqueued, p.stuck = true, m.Sequence, m.Enqueued, nil
	})
}

// asked notes what the hub said about a partition. start is where reading
// began when nothing was decided yet.
func (s *state) asked(id string, props azeventhubs.PartitionProperties, from start, now time.Time) {
	s.change(func() {
		p := s.parts[id]
		if p == nil {
			return
		}
		p.tail, p.first, p.asked = props.LastEnqueuedSequenceNumber, props.BeginningSequenceNumber, true
		if props.IsEmpty {
			p.first = p.tail + 1
		}
		if !p.known {
			p.known, p.sequence = true, props.BeginningSequenceNumber-1
			if props.IsEmpty || from.latest || props.LastEnqueuedOn.Before(from.at) {
				p.sequence = p.tail
			}
		}
		if p.tail <= p.sequence || p.first > p.tail {
			p.caughtUp = now
		}
	})
}

// behind is how many messages the hub held beyond sequence, or -1.
func (s *state) behind(id string, sequence int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parts[id]
	if p == nil || !p.asked {
		return -1
	}
	return max(0, p.tail-sequence)
}

// expired returns the last message decided and the last one that the hub has
// given up since, or zeros.
func (p *partState) expired() (after, upTo int64) {
	if !p.known || !p.asked || p.first <= p.sequence+1 {
		return 0, 0
	}
	return p.sequence, p.first - 1
}

func (p *partState) lag(now time.Time) (int64, time.Duration) {
	if !p.known || !p.asked {
		return -1, 0
	}
	events := max(0, p.tail-max(p.sequence, p.first-1)) // what has expired does not wait any more
	if events == 0 {
		return 0, 0
	}
	since := p.enqueued
	if p.caughtUp.After(since) {
		since = p.caughtUp
	}
	if since.IsZero() {
		return events, 0
	}
	return events, max(0, now.Sub(since))
}
