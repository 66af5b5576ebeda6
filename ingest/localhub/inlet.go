package localhub

import (
	"fmt"

	"phiwatch/ingest/localhub/internal/amqp"
)

// inletCredit is how many deliveries a client may have underway on a link.
const inletCredit = 256

// inlet is a link on which the client sends. Its connection's reader owns it.
type inlet struct {
	session  *session
	handle   uint32
	producer *producer // nil on the links of requests

	// deliver acts on a whole delivery, which it must not keep. The verdict
	// says whether it is accepted, refused, or ends the link.
	deliver func(payload []byte, format uint32) verdict

	credit   uint32
	count    uint32 // deliveries received
	id       uint32
	format   uint32
	underway bool
	settled  bool
	partial  []byte // of a delivery in several frames
}

// verdict on a delivery: accepted if nothing is set.
type verdict struct {
	rejected *condition
	detach   *condition
}

func (in *inlet) flow(f amqp.Flow) {
	if f.HasCount {
		in.count = f.DeliveryCount
	}
	if f.Echo {
		in.grant()
	}
}

func (in *inlet) release() {}

// grant gives the client its full credit. mu is held.
func (in *inlet) grant() {
	in.credit = inletCredit
	in.session.announce(func(e *amqp.Encoder) {
		e.Uint(in.handle)
		e.Uint(in.count)
		e.Uint(in.credit)
	})
}

// transfer takes a frame of a delivery and, with the last one, acts on it.
func (c *conn) transfer(s *session, f amqp.Fields, payload []byte) error {
	t, err := amqp.DecodeTransfer(f, payload)
	if err != nil {
		return err
	}
	c.mu.Lock()
	s.nextIncoming++
	if s.unannounced++; s.unannounced >= window/2 {
		s.announce(nil)
	}
	l := s.links[t.Handle]
	c.mu.Unlock()
	switch in := l.(type) {
	case *inlet:
		return c.receive(in, t)
	case tombstone:
		return nil
	}
	return &condition{condUnattached, fmt.Sprintf("transfer for handle %d", t.Handle)}
}

func (c *conn) receive(in *inlet, t amqp.Transfer) error {
	if !in.underway {
		if !t.HasID {
			return &condition{condDecode, "a delivery without a delivery-id"}
		}
		if in.credit == 0 {
			return c.detach(in, &condition{condTransferLimit, "more deliveries than credit"})
		}
		in.credit--
		in.id, in.format, in.settled, in.underway = t.DeliveryID, t.Format, false, true
	}
	in.settled = in.settled || t.Settled
	if t.Aborted {
		c.finish(in)
		return nil
	}
	size := len(in.partial) + len(t.Payload)
	if limit := c.hub.cfg.MaxMessageBytes; size > limit {
		return c.detach(in, &condition{condTooLarge, fmt.Sprintf(
			"the received message (delivery-id:%d, size:%d bytes) exceeds the limit (%d bytes) currently allowed on the link",
			in.id, size, limit)})
	}
	if t.More {
		if c.partial += len(t.Payload); c.partial > maxPartial {
			return &condition{condLimit, "too many unfinished deliveries"}
		}
		if in.partial == nil {
			in.partial, c.spare = c.spare, nil
		}
		in.partial = append(in.partial, t.Payload...)
		return nil
	}
	whole := t.Payload
	if len(in.partial) > 0 {
		c.partial += len(t.Payload)
		in.partial = append(in.partial, t.Payload...)
		whole = in.partial
	}
	v := in.deliver(whole, in.format)
	if v.detach != nil {
		return c.detach(in, v.detach)
	}
	if !in.settled {
		c.settle(in, v)
	}
	c.finish(in)
	return nil
}

// settle tells the client what became of the delivery.
func (c *conn) settle(in *inlet, v verdict) {
	c.send(in.session.channel, func(e *amqp.Encoder) {
		e.Composite(amqp.DispositionType, func() {
			e.Bool(true)
			e.Uint(in.id)
			e.Null()
			e.Bool(true)
			if v.rejected == nil {
				e.Composite(amqp.AcceptedType, func() {})
				return
			}
			e.Composite(amqp.RejectedType, func() { v.rejected.encode(e) })
		})
	})
}

// finish makes room for the next delivery.
func (c *conn) finish(in *inlet) {
	c.partial -= len(in.partial)
	if in.partial != nil {
		c.spare, in.partial = in.partial[:0], nil
	}
	in.underway = false
	c.mu.Lock()
	defer c.mu.Unlock()
	in.count++
	if in.credit < inletCredit/2 {
		in.grant()
	}
}

// detach ends an inlet from the hub's side. Only the reader calls it.
func (c *conn) detach(in *inlet, cond *condition) error {
	c.partial -= len(in.partial)
	in.partial = nil
	c.mu.Lock()
	in.session.links[in.handle] = tombstone{}
	c.mu.Unlock()
	c.send(in.session.channel, func(e *amqp.Encoder) { encodeDetach(e, in.handle, cond) })
	return nil
}
