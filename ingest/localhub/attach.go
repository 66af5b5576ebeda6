package localhub

import (
	"errors"
	"fmt"
	"time"

	"phiwatch/ingest/localhub/internal/amqp"
)

// Settle modes (amqp-core-messaging 2.8.2).
const (
	settleUnsettled = 0
	settleSettled   = 1
)

// attach makes the link that a client asks for, or refuses it: an attach
// without terminus, then a detach that says why.
func (c *conn) attach(s *session, f amqp.Fields) error {
	a, err := amqp.DecodeAttach(f)
	if err != nil {
		return err
	}
	if s.links[a.Handle] != nil {
		return &condition{condHandleInUse, fmt.Sprintf("handle %d", a.Handle)}
	}
	if a.Handle >= maxLinks || c.links >= maxConnLinks {
		return &condition{condLimit, "too many links"}
	}
	if len(a.Name) > maxName || len(terminus(a.Source, amqp.SourceType)) > maxName || len(terminus(a.Target, amqp.TargetType)) > maxName {
		return &condition{condLimit, "name or address too long"}
	}
	c.links++
	if a.Receiver {
		return c.attachOutlet(s, a)
	}
	return c.attachInlet(s, a)
}

// refuse answers an attach that cannot be.
func (c *conn) refuse(s *session, a amqp.Attach, cond *condition) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.links[a.Handle] = tombstone{}
	a.Source, a.Target = nil, nil
	c.queue(s.channel, func(e *amqp.Encoder) { c.encodeAttach(e, a) })
	c.queue(s.channel, func(e *amqp.Encoder) { encodeDetach(e, a.Handle, cond) })
	return nil
}

// encodeAttach answers an attach with its own words: same name, handle, modes
// and termini, the other role.
func (c *conn) encodeAttach(e *amqp.Encoder, a amqp.Attach) {
	e.Composite(amqp.AttachType, func() {
		e.String(a.Name)
		e.Uint(a.Handle)
		e.Bool(!a.Receiver)
		e.Ubyte(a.SenderSettle)
		e.Ubyte(a.ReceiverSettle)
		e.Raw(a.Source)
		e.Raw(a.Target)
		e.Null() // unsettled
		e.Null() // incomplete-unsettled
		if a.Receiver {
			e.Uint(0) // initial-delivery-count
		} else {
			e.Null()
		}
		e.Ulong(uint64(c.hub.cfg.MaxMessageBytes))
	})
}

// terminus is the address in an encoded source or target.
func terminus(b []byte, kind uint64) string {
	f, err := amqp.Composite(b, kind)
	if err != nil {
		return ""
	}
	return f.String()
}

// attachOutlet attaches a link on which the client receives.
func (c *conn) attachOutlet(s *session, a amqp.Attach) error {
	o := &outlet{session: s, handle: a.Handle, settled: a.SenderSettle != settleUnsettled}
	where := terminus(a.Source, amqp.SourceType)
	var err error
	if addr, ok := parseAddress(where); ok && addr.node != "" {
		o.names = [2]string{terminus(a.Target, amqp.TargetType), a.Name}
		o.feed = &replies{}
	} else if o.feed, err = c.consume(o, where, a); err != nil {
		var cond *condition
		if !errors.As(err, &cond) {
			cond = &condition{condInternal, err.Error()}
		}
		return c.refuse(s, a, cond)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue(s.channel, func(e *amqp.Encoder) { c.encodeAttach(e, a) })
	s.links[a.Handle] = o
	if o.stolen != nil { // between taking its place and here
		s.links[a.Handle] = tombstone{}
		c.queue(s.channel, func(e *amqp.Encoder) { encodeDetach(e, a.Handle, o.stolen) })
		return nil
	}
	o.attached = true
	c.outlets = append(c.outlets, o)
	return nil
}

// attachInlet attaches a link on which the client sends.
func (c *conn) attachInlet(s *session, a amqp.Attach) error {
	in := &inlet{session: s, handle: a.Handle}
	where := terminus(a.Target, amqp.TargetType)
	addr, ok := parseAddress(where)
	switch {
	case ok && addr.node == nodeCBS:
		in.deliver = c.putToken
	case ok && addr.node == nodeManagement:
		in.deliver = c.manage
	default:
		p, cond := c.produce(addr, ok, where)
		if cond != nil {
			return c.refuse(s, a, cond)
		}
		in.deliver, in.producer = p.deliver, p
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue(s.channel, func(e *amqp.Encoder) { c.encodeAttach(e, a) })
	s.links[a.Handle] = in
	in.grant()
	return nil
}

// entityOf finds what an address names, if the connection may use it.
func (c *conn) entityOf(addr address, ok bool, where string) (*entity, *condition) {
	missing := &condition{condNotFound, fmt.Sprintf("the messaging entity '%.200s' could not be found", where)}
	if !ok {
		return nil, missing
	}
	if !c.claims.cover(entityPath(where), time.Now()) {
		return nil, &condition{condUnauthorized, fmt.Sprintf(
			"unauthorized access to '%.200s': no token for it was put on this connection, or it has expired", where)}
	}
	e := c.hub.entity(addr.hub)
	if e == nil {
		return nil, missing
	}
	if addr.part != "" && e.partition(addr.part) == nil {
		return nil, &condition{condNotFound, fmt.Sprintf(
			"the partition '%.50s' could not be found: hub %s has %d, from 0", addr.part, e.name, len(e.partitions))}
	}
	return e, nil
}
