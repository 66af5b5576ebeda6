package localhub

import (
	"errors"
	"fmt"
	"time"

	"phiwatch/ingest/localhub/internal/amqp"
)

// Nodes that answer requests.
const (
	nodeCBS        = "$cbs"
	nodeManagement = "$management"
)

// maxReplies bounds the answers that a client has no credit for.
const maxReplies = 256

// request is a message to $cbs or $management.
type request struct {
	id         []byte // encoded message-id, which the answer repeats
	replyTo    string
	properties amqp.Map
	body       any
}

func parseRequest(b []byte) (request, error) {
	var r request
	for len(b) > 0 {
		section, rest, err := amqp.Split(b)
		if err != nil {
			return r, err
		}
		kind, value, err := amqp.Described(section)
		if err != nil {
			return r, err
		}
		switch kind {
		case amqp.PropertiesSection:
			f, err := amqp.Composite(section, amqp.PropertiesSection)
			if err != nil {
				return r, err
			}
			if r.id = f.Raw(); len(r.id) > maxName {
				return r, errors.New("message-id too long")
			}
			for range 3 { // user-id, to, subject
				f.Skip()
			}
			r.replyTo = f.String()
			if err := f.Err(); err != nil {
				return r, err
			}
		case amqp.ApplicationPropertiesSection:
			v, _, err := amqp.Decode(value)
			if err != nil {
				return r, err
			}
			r.properties, _ = v.(amqp.Map)
		case amqp.ValueSection:
			if r.body, _, err = amqp.Decode(value); err != nil {
				return r, err
			}
		}
		b = rest
	}
	return r, nil
}

// reply is the answer to a request.
type reply struct {
	status      int32
	description string
	cond        string                // error condition, if any
	body        func(e *amqp.Encoder) // entries of the map in its body
}

func (r reply) encode(id []byte) []byte {
	var e amqp.Encoder
	e.Composite(amqp.PropertiesSection, func() {
		for range 5 { // message-id, user-id, to, subject, reply-to
			e.Null()
		}
		e.Raw(id)
	})
	e.Descriptor(amqp.ApplicationPropertiesSection)
	e.Map(func() {
		// $cbs and $management name these differently; clients look for either.
		e.String("status-code")
		e.Int(r.status)
		e.String("status-description")
		e.String(r.description)
		if r.cond != "" {
			e.String("error-condition")
			e.Symbol(r.cond)
		}
	})
	e.Descriptor(amqp.ValueSection)
	if r.body == nil {
		e.Null()
	} else {
		e.Map(func() { r.body(&e) })
	}
	return e.Buf
}

// replies feeds an outlet with answers.
type replies struct {
	queue [][]byte
}

func (r *replies) next() (payload []byte, wait time.Duration, cut bool) {
	if len(r.queue) == 0 {
		return nil, 0, false
	}
	payload, r.queue = r.queue[0], r.queue[1:]
	return payload, 0, false
}

func (r *replies) release() {}

// answer carries out a request and sends the reply where it asks for it.
func (c *conn) answer(payload []byte, act func(request) reply) verdict {
	req, err := parseRequest(payload)
	if err != nil {
		return verdict{rejected: &condition{condDecode, err.Error()}}
	}
	encoded := act(req).encode(req.id)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range c.outlets {
		r, ok := o.feed.(*replies)
		if !ok || o.names[0] != req.replyTo && o.names[1] != req.replyTo {
			continue
		}
		if len(r.queue) >= maxReplies {
			return verdict{rejected: &condition{condLimit, "too many unread replies"}}
		}
		r.queue = append(r.queue, encoded)
		c.signal()
		return verdict{}
	}
	return verdict{rejected: &condition{condNotFound, fmt.Sprintf("no link receives at '%.100s'", req.replyTo)}}
}

// putToken is $cbs (amqp-cbs v1.0): the client shows a token for an entity.
func (c *conn) putToken(payload []byte, _ uint32) verdict {
	return c.answer(payload, func(r request) reply {
		if op := r.properties.String("operation"); op != "put-token" {
			return reply{status: 400, description: fmt.Sprintf("unknown operation %.50q", op), cond: condNotAllowed}
		}
		if err := c.authenticate(r); err != nil {
			c.hub.log.Info("token refused", "remote", c.raw.RemoteAddr().String(), "err", err)
			return reply{status: 401, description: "InvalidSignature: " + err.Error(), cond: condUnauthorized}
		}
		return reply{status: 202, description: "Accepted"}
	})
}

func (c *conn) authenticate(r request) error {
	if err := c.hub.faults.refusedToken(); err != nil {
		return err
	}
	token, _ := r.body.(string)
	audience := r.properties.String("name")
	expiry, err := c.hub.checkToken(r.properties.String("type"), token, audience)
	if err != nil {
		return err
	}
	return c.claims.add(audience, expiry)
}
