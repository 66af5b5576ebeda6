package localhub

import (
	"time"

	"phiwatch/ingest/localhub/internal/amqp"
)

// outlet is a link on which the client receives. Its connection's mu guards
// it once it is attached.
type outlet struct {
	session  *session
	handle   uint32
	settled  bool      // deliveries are sent settled
	names    [2]string // target and link name: clients mean either by reply-to
	feed     feed
	attached bool
	stolen   *condition

	credit uint32
	count  uint32 // deliveries sent: delivery-count
	drain  bool

	rest []byte // of the delivery underway
	id   uint32 // of the delivery underway
}

// feed is where an outlet's deliveries come from. Its methods are called with
// the connection's mu held.
type feed interface {
	// next is the next delivery's payload, nil if there is none now. wait is
	// how long until one that is held back is due; cut asks for the connection
	// to be cut behind this delivery.
	next() (payload []byte, wait time.Duration, cut bool)
	// release as in link.
	release()
}

func (o *outlet) release() { o.feed.release() }

// flow: credit as amqp-core-transport 2.6.7 has it.
func (o *outlet) flow(f amqp.Flow) {
	if f.HasCredit {
		count := uint32(0) // before the client has learned the initial count
		if f.HasCount {
			count = f.DeliveryCount
		}
		o.credit = count + f.Credit - o.count
		if int32(o.credit) < 0 { // less than what is already on its way
			o.credit = 0
		}
	}
	o.drain = f.Drain
	if f.Echo && !f.Drain {
		o.announce()
	}
}

// announce tells the client the link's state.
func (o *outlet) announce() {
	o.session.announce(func(e *amqp.Encoder) {
		e.Uint(o.handle)
		e.Uint(o.count)
		e.Uint(o.credit)
		e.Null() // available
		e.Bool(o.drain)
		e.Bool(false)
	})
}

// fill appends deliveries to w as far as credit, window, supply and the size
// of a write go.
func (o *outlet) fill(w *deliveries) {
	for len(w.buf) < writeSize && o.session.peerWindow > 0 {
		first := len(o.rest) == 0
		if first && !o.take(w) {
			o.drained()
			return
		}
		o.frame(w, first)
		if w.cut {
			return
		}
	}
}

// drained tells a client that asked for it that the link has nothing more to
// send: what is left of its credit is used up.
func (o *outlet) drained() {
	if !o.drain {
		return
	}
	o.count += o.credit
	o.credit = 0
	o.announce()
	o.drain = false
}

// take starts the next delivery.
func (o *outlet) take(w *deliveries) bool {
	if o.credit == 0 {
		return false
	}
	payload, wait, cut := o.feed.next()
	if payload == nil {
		if wait > 0 && (w.wait == 0 || wait < w.wait) {
			w.wait = wait
		}
		return false
	}
	o.rest, o.id = payload, o.session.nextDelivery
	o.session.nextDelivery++
	o.count++
	o.credit--
	w.cut = cut
	return true
}

// frame appends one frame of the delivery underway.
func (o *outlet) frame(w *deliveries, first bool) {
	c := o.session.conn
	n := min(len(o.rest), int(c.peerFrame)-amqp.TransferOverhead)
	w.buf = amqp.AppendTransfer(w.buf, o.session.channel, o.handle, o.id, first, o.settled, n < len(o.rest), o.rest[:n])
	o.rest = o.rest[n:]
	o.session.nextOutgoing++
	o.session.peerWindow--
}

// detach ends the link from the hub's side. It may be called from anywhere
// without locks held, more than once, and before the link is attached. It
// reports whether it was this call that did it.
func (o *outlet) detach(cond *condition) bool {
	c := o.session.conn
	c.mu.Lock()
	if o.stolen != nil {
		c.mu.Unlock()
		return false
	}
	o.stolen = cond
	ended := o.attached && o.session.links[o.handle] == link(o)
	if ended {
		o.session.links[o.handle] = tombstone{}
		c.dropOutlet(o)
		c.queue(o.session.channel, func(e *amqp.Encoder) { encodeDetach(e, o.handle, cond) })
	}
	c.mu.Unlock()
	if ended {
		o.feed.release()
	}
	return ended
}

// dropOutlet takes a link out of the writer's round. mu is held.
func (c *conn) dropOutlet(l link) {
	o, ok := l.(*outlet)
	if !ok {
		return
	}
	for i := range c.outlets {
		if c.outlets[i] == o {
			c.outlets = append(c.outlets[:i:i], c.outlets[i+1:]...)
			return
		}
	}
}
