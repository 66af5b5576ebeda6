package localhub

import "fmt"

// producer stores what arrives on an inlet.
type producer struct {
	hub       *Hub
	entity    *entity
	partition *partition // nil: by key, or in turn
	events    []event    // reused
}

// produce makes the producer of a sending link.
func (c *conn) produce(addr address, ok bool, where string) (*producer, *condition) {
	e, cond := c.entityOf(addr, ok && addr.group == "", where)
	if cond != nil {
		return nil, cond
	}
	if cond := c.hub.faults.refusedAttach(); cond != nil {
		return nil, cond
	}
	p := &producer{hub: c.hub, entity: e}
	if addr.part != "" {
		p.partition = e.partition(addr.part)
	}
	return p, nil
}

// deliver stores one message or one batch, all of it in one partition.
func (p *producer) deliver(payload []byte, format uint32) verdict {
	if cond := p.hub.faults.refusedSend(); cond != nil {
		return verdict{rejected: cond}
	}
	events, err := parseDelivery(payload, format, p.events[:0])
	if err != nil {
		return verdict{rejected: &condition{condDecode, fmt.Sprintf("not a message: %v", err)}}
	}
	if len(events) == 0 {
		return verdict{rejected: &condition{condArgument, "a batch without events"}}
	}
	to := p.partition
	if to == nil {
		to = p.entity.choose(events[0].key)
	}
	to.append(events)
	clear(events) // they alias the connection's buffer
	if p.events = events; cap(events) > 4096 {
		p.events = nil
	}
	return verdict{}
}
