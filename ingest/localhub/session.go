package localhub

import (
	"fmt"

	"phiwatch/ingest/localhub/internal/amqp"
)

// window is how many frames a client may send on a session before the hub
// says that it has room for more.
const window = 2048

// session carries links. The client's channel number serves both directions.
// Its fields are guarded by its connection's mu, but only the connection's
// reader changes links.
type session struct {
	conn    *conn
	channel uint16
	links   map[uint32]link // by the client's handle, which serves both directions

	nextIncoming uint32 // transfer id of the next frame from the client
	unannounced  uint32 // frames taken since the client was last told of room
	nextOutgoing uint32 // transfer id of the next frame to the client
	peerWindow   uint32 // how many more frames the client takes
	nextDelivery uint32
}

// link is one end of a link: an inlet, an outlet, or a tombstone.
type link interface {
	// flow takes the client's link state; its connection's mu is held.
	flow(f amqp.Flow)
	// release gives up what the link holds elsewhere; no lock is held.
	release()
}

// tombstone stands for a link that the hub has detached until the client
// detaches it too. What is still underway on it is ignored.
type tombstone struct{}

func (tombstone) flow(amqp.Flow) {}
func (tombstone) release()       {}

// begin starts a session.
func (c *conn) begin(channel uint16, f amqp.Fields) error {
	b, err := amqp.DecodeBegin(f)
	if err != nil {
		return &condition{condDecode, err.Error()}
	}
	if channel >= maxSessions {
		return &condition{condFraming, fmt.Sprintf("channel %d is beyond channel-max", channel)}
	}
	if c.sessions[channel] != nil {
		return &condition{condFraming, fmt.Sprintf("channel %d is in use", channel)}
	}
	s := &session{conn: c, channel: channel, links: map[uint32]link{},
		nextIncoming: b.NextOutgoingID, peerWindow: b.IncomingWindow}
	c.mu.Lock()
	c.sessions[channel] = s
	c.mu.Unlock()
	c.send(channel, func(e *amqp.Encoder) {
		e.Composite(amqp.BeginType, func() {
			e.Ushort(channel)
			e.Uint(0)
			e.Uint(window)
			e.Uint(1<<31 - 1)
			e.Uint(maxLinks - 1)
		})
	})
	return nil
}

// end ends a session at the client's wish.
func (c *conn) end(s *session) {
	c.forget(s)
	c.send(s.channel, func(e *amqp.Encoder) {
		e.Composite(amqp.EndType, func() {})
	})
}

// endSessions ends all that the connection held when it broke.
func (c *conn) endSessions() {
	for _, s := range c.sessions {
		c.forget(s)
	}
}

func (c *conn) forget(s *session) {
	c.mu.Lock()
	delete(c.sessions, s.channel)
	links := s.links
	s.links = map[uint32]link{}
	for _, l := range links {
		c.dropOutlet(l)
	}
	c.mu.Unlock()
	c.links -= len(links)
	for _, l := range links {
		c.drop(l)
	}
}

// drop releases a link that is no longer in its session's map.
func (c *conn) drop(l link) {
	if in, ok := l.(*inlet); ok {
		c.partial -= len(in.partial)
	}
	l.release()
}

// flow takes the client's session windows and, with a handle, a link's credit.
func (c *conn) flow(s *session, f amqp.Fields) error {
	w, err := amqp.DecodeFlow(f)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// amqp-core-transport 2.5.6; before the client knows the hub's first
	// transfer id, that is 0.
	next := uint32(0)
	if w.HasNextID {
		next = w.NextIncomingID
	}
	s.peerWindow = next + w.IncomingWindow - s.nextOutgoing
	if !w.HasHandle {
		if w.Echo {
			s.announce(nil)
		}
		c.signal()
		return nil
	}
	l := s.links[w.Handle]
	if l == nil {
		return &condition{condUnattached, fmt.Sprintf("flow for handle %d", w.Handle)}
	}
	l.flow(w)
	c.signal()
	return nil
}

// announce queues a flow frame with the session's state and what fill appends
// for a link. mu is held.
func (s *session) announce(fill func(e *amqp.Encoder)) {
	s.unannounced = 0
	s.conn.queue(s.channel, func(e *amqp.Encoder) {
		e.Composite(amqp.FlowType, func() {
			e.Uint(s.nextIncoming)
			e.Uint(window)
			e.Uint(s.nextOutgoing)
			e.Uint(1<<31 - 1)
			if fill != nil {
				fill(e)
			}
		})
	})
}

// disposition: consumers get their deliveries settled unless they ask
// otherwise; those that do are told that a settlement has been heard of.
// Nothing depends on it, as a partition keeps what it has sent.
func (c *conn) disposition(s *session, f amqp.Fields) error {
	d, err := amqp.DecodeDisposition(f)
	if err != nil {
		return err
	}
	if !d.Receiver || d.Settled {
		return nil
	}
	c.send(s.channel, func(e *amqp.Encoder) {
		e.Composite(amqp.DispositionType, func() {
			e.Bool(false)
			e.Uint(d.First)
			e.Uint(d.Last)
			e.Bool(true)
			e.Raw(d.State)
		})
	})
	return nil
}

// detached takes a detach: the client leaves, or answers the hub's.
func (c *conn) detached(s *session, f amqp.Fields) error {
	d, err := amqp.DecodeDetach(f)
	if err != nil {
		return err
	}
	c.mu.Lock()
	l := s.links[d.Handle]
	delete(s.links, d.Handle)
	c.dropOutlet(l)
	c.mu.Unlock()
	switch l.(type) {
	case nil:
		return &condition{condUnattached, fmt.Sprintf("detach of handle %d", d.Handle)}
	case tombstone:
		c.links--
		return nil
	}
	c.links--
	c.drop(l)
	c.send(s.channel, func(e *amqp.Encoder) { encodeDetach(e, d.Handle, nil) })
	return nil
}

func encodeDetach(e *amqp.Encoder, handle uint32, cond *condition) {
	e.Composite(amqp.DetachType, func() {
		e.Uint(handle)
		e.Bool(true)
		cond.encode(e)
	})
}
