package localhub

import (
	"errors"
	"fmt"
	"io"
	"time"

	"phiwatch/ingest/localhub/internal/amqp"
)

// Protocol headers (amqp-core-transport 2.2, amqp-core-security 5.3.2).
var (
	headerAMQP = [8]byte{'A', 'M', 'Q', 'P', 0, 1, 0, 0}
	headerSASL = [8]byte{'A', 'M', 'Q', 'P', 3, 1, 0, 0}
)

// SASL mechanisms. With all of them the client says who it is later, by
// put-token; MSSBCBS is the service's own name for just that.
var mechanisms = []string{"MSSBCBS", "ANONYMOUS"}

const saslOK, saslRefused = 0, 1

// handshake agrees on protocol, mechanism and limits.
func (c *conn) handshake() error {
	if err := c.nc.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	h, err := c.protocolHeader()
	if err != nil {
		return err
	}
	if h == headerSASL {
		if err := c.sasl(); err != nil {
			return err
		}
		if h, err = c.protocolHeader(); err != nil {
			return err
		}
	}
	// The answer to a wrong header is the right one, too.
	if _, err := c.nc.Write(headerAMQP[:]); err != nil {
		return err
	}
	if h != headerAMQP {
		return fmt.Errorf("protocol header % x", h[:])
	}
	if err := c.open(); err != nil {
		return err
	}
	return c.nc.SetDeadline(time.Time{})
}

func (c *conn) protocolHeader() (h [8]byte, err error) {
	if _, err = io.ReadFull(c.in, h[:]); err != nil {
		err = fmt.Errorf("protocol header: %w", err)
	}
	return h, err
}

func (c *conn) sasl() error {
	out := amqp.AppendFrame(headerSASL[:], amqp.FrameSASL, 0, func(e *amqp.Encoder) {
		e.Composite(amqp.SASLMechanismsType, func() { e.Symbols(mechanisms...) })
	})
	if _, err := c.nc.Write(out); err != nil {
		return err
	}
	f, err := c.expect(amqp.FrameSASL, amqp.SASLInitType)
	if err != nil {
		return err
	}
	mechanism := f.String()
	code := uint8(saslRefused)
	for _, m := range mechanisms {
		if mechanism == m {
			code = saslOK
		}
	}
	out = amqp.AppendFrame(nil, amqp.FrameSASL, 0, func(e *amqp.Encoder) {
		e.Composite(amqp.SASLOutcomeType, func() { e.Ubyte(code) })
	})
	if _, err := c.nc.Write(out); err != nil {
		return err
	}
	if code != saslOK {
		return fmt.Errorf("sasl mechanism %.50q", mechanism)
	}
	return nil
}

// expect reads one frame, which must be of the given type.
func (c *conn) expect(t amqp.FrameType, want uint64) (amqp.Fields, error) {
	b, err := c.in.Peek(amqp.HeaderSize)
	if err != nil {
		return amqp.Fields{}, err
	}
	h, err := amqp.ParseHeader(b, maxFrameSize)
	if err != nil {
		return amqp.Fields{}, err
	}
	frame := make([]byte, h.Size)
	if _, err := io.ReadFull(c.in, frame); err != nil {
		return amqp.Fields{}, err
	}
	kind, f, _, err := amqp.Performative(frame[h.Offset:])
	if err == nil && (kind != want || h.Type != t) {
		err = fmt.Errorf("performative %#x where %#x is due", kind, want)
	}
	return f, err
}

func (c *conn) open() error {
	f, err := c.expect(amqp.FrameAMQP, amqp.OpenType)
	if err != nil {
		return err
	}
	o, err := amqp.DecodeOpen(f)
	if err != nil {
		return err
	}
	if o.MaxFrameSize < amqp.MinMaxFrameSize {
		return errors.New("max-frame-size below the minimum")
	}
	c.peerFrame = min(o.MaxFrameSize, maxFrameSize)
	c.peerIdle = time.Duration(o.IdleTimeout) * time.Millisecond
	out := amqp.AppendFrame(nil, amqp.FrameAMQP, 0, func(e *amqp.Encoder) {
		e.Composite(amqp.OpenType, func() {
			e.String("phiwatch-localhub")
			e.Null()
			e.Uint(maxFrameSize)
			e.Ushort(maxSessions - 1)
			// Half of what is borne, as the standard recommends.
			e.Uint(uint32(c.hub.cfg.IdleTimeout.Milliseconds() / 2))
		})
	})
	_, err = c.nc.Write(out)
	return err
}
