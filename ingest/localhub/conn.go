package localhub

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"phiwatch/ingest/localhub/internal/amqp"
)

// Limits of a connection. The service has similar ones.
const (
	maxFrameSize     = 64 << 10
	maxSessions      = 1024
	maxLinks         = 256     // of a session
	maxConnLinks     = 4096    // of a connection
	maxPartial       = 8 << 20 // bytes of unfinished deliveries
	maxName          = 2048    // bytes of an address, a link's name, an audience, a message id
	maxPending       = 1 << 20 // bytes of answers a client may leave unread before it is no longer listened to
	handshakeTimeout = 10 * time.Second
	writeTimeout     = 30 * time.Second
	goodbyeTimeout   = time.Second
)

// conn serves one client. One goroutine reads and acts on frames, one writes.
type conn struct {
	hub *Hub
	raw net.Conn // as accepted
	nc  net.Conn // what AMQP goes over: raw, or TLS over it
	in  *bufio.Reader

	peerFrame uint32        // largest frame the client takes; set by the handshake
	peerIdle  time.Duration // how long the client bears silence, 0 for ever; set by the handshake

	claims  claims // owned by the reader
	links   int    // owned by the reader
	partial int    // bytes of unfinished deliveries; owned by the reader
	spare   []byte // for the next delivery in several frames; owned by the reader

	wake chan struct{} // has one element when the writer has something to do
	done chan struct{} // closed when the writer has ended

	mu       sync.Mutex // guards what follows
	room     *sync.Cond // pending has shrunk, or the writer has ended
	pending  []byte     // frames to write before any delivery
	closing  bool       // write what is pending, then close
	lingers  bool       // leave closing the connection to its reader
	dead     bool       // the writer has ended
	sessions map[uint16]*session
	outlets  []*outlet
	turn     int // of outlets, for fairness
}

func newConn(h *Hub, nc net.Conn) *conn {
	c := &conn{hub: h, raw: nc, nc: nc, claims: claims{}, wake: make(chan struct{}, 1), done: make(chan struct{}),
		sessions: map[uint16]*session{}}
	c.room = sync.NewCond(&c.mu)
	return c
}

// serve runs the connection to its end. The error tells why it ended, nil if
// the client said goodbye.
func (c *conn) serve(ctx context.Context) error {
	defer c.raw.Close()
	gone := make(chan struct{})
	defer close(gone)
	leave := context.AfterFunc(ctx, func() { c.leave(gone) })
	defer leave()
	if err := c.secure(ctx); err != nil {
		return err
	}
	c.in = bufio.NewReaderSize(c.nc, 2*maxFrameSize)
	if err := c.handshake(); err != nil {
		return err
	}
	go func() {
		defer close(c.done)
		c.write()
	}()
	if ctx.Err() != nil { // before there was a writer to tell the client
		c.shutdown(stopping, false)
	}
	err := c.read()
	var cond *condition
	broken := errors.As(err, &cond)
	c.shutdown(cond, broken)
	<-c.done
	c.endSessions()
	if broken {
		c.linger()
	}
	return err
}

// stopping is what clients are told when the hub stops.
var stopping = &condition{condForced, "the hub is shutting down"}

// leave ends the connection because the hub stops: in good order if the
// client listens, without it if not.
func (c *conn) leave(gone <-chan struct{}) {
	c.shutdown(stopping, false)
	t := time.NewTimer(goodbyeTimeout)
	defer t.Stop()
	select {
	case <-gone:
	case <-t.C:
		c.cut()
	}
}

// linger lets the client read why it is left: closing with input unread would
// take that from it.
func (c *conn) linger() {
	if half, ok := c.raw.(interface{ CloseWrite() error }); ok && half.CloseWrite() != nil {
		return
	}
	if c.raw.SetReadDeadline(time.Now().Add(goodbyeTimeout)) == nil {
		_, _ = io.Copy(io.Discard, c.raw) // ends with the client or the deadline
	}
}

func (c *conn) secure(ctx context.Context) error {
	if c.hub.tls == nil {
		return nil
	}
	if err := c.raw.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	corked := &corkedConn{Conn: c.raw}
	secured := tls.Server(corked, c.hub.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	corked.cork()
	c.nc = &tlsConn{Conn: secured, under: corked}
	return nil
}

// read acts on frames until the client leaves or breaks a rule.
func (c *conn) read() error {
	for {
		h, body, err := c.frame()
		if err != nil {
			return err
		}
		if len(body) > 0 {
			if h.Type != amqp.FrameAMQP {
				return &condition{condFraming, "SASL frame on an open connection"}
			}
			closed, err := c.act(h.Channel, body)
			if err != nil || closed {
				return err
			}
		}
		if _, err := c.in.Discard(int(h.Size)); err != nil {
			return err
		}
	}
}

// frame waits for a whole frame. Its body aliases the buffer until Discard.
func (c *conn) frame() (amqp.Header, []byte, error) {
	b, err := c.await(amqp.HeaderSize)
	if err != nil {
		return amqp.Header{}, nil, err
	}
	h, err := amqp.ParseHeader(b, maxFrameSize)
	if err != nil {
		return h, nil, &condition{condFraming, err.Error()}
	}
	if b, err = c.await(int(h.Size)); err != nil {
		return h, nil, err
	}
	return h, b[h.Offset:], nil
}

// await waits until n bytes are buffered, as long as a client may be silent.
func (c *conn) await(n int) ([]byte, error) {
	if c.in.Buffered() < n {
		if err := c.nc.SetReadDeadline(time.Now().Add(c.hub.cfg.IdleTimeout)); err != nil {
			return nil, err
		}
	}
	return c.in.Peek(n)
}

// act carries out one performative. It reports whether the client closed.
func (c *conn) act(channel uint16, body []byte) (closed bool, err error) {
	kind, f, payload, err := amqp.Performative(body)
	if err != nil {
		return false, &condition{condDecode, err.Error()}
	}
	switch kind {
	case amqp.CloseType:
		return true, nil
	case amqp.BeginType:
		return false, c.begin(channel, f)
	}
	s := c.sessions[channel] // only the reader changes the map
	if s == nil {
		return false, &condition{condFraming, fmt.Sprintf("no session on channel %d", channel)}
	}
	switch kind {
	case amqp.AttachType:
		err = c.attach(s, f)
	case amqp.FlowType:
		err = c.flow(s, f)
	case amqp.TransferType:
		err = c.transfer(s, f, payload)
	case amqp.DispositionType:
		err = c.disposition(s, f)
	case amqp.DetachType:
		err = c.detached(s, f)
	case amqp.EndType:
		c.end(s)
	default:
		return false, &condition{condFraming, fmt.Sprintf("performative %#x", kind)}
	}
	if err != nil {
		if _, ok := errors.AsType[*condition](err); !ok {
			err = &condition{condDecode, err.Error()}
		}
	}
	return false, err
}

// send queues a frame for the writer. It must not be called with mu held; it
// waits while the client leaves too many answers unread.
func (c *conn) send(channel uint16, fill func(e *amqp.Encoder)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.pending) > maxPending && !c.dead {
		c.room.Wait()
	}
	c.queue(channel, fill)
}

// queue is send with mu held and without waiting.
func (c *conn) queue(channel uint16, fill func(e *amqp.Encoder)) {
	if c.dead || c.closing {
		return
	}
	c.pending = amqp.AppendFrame(c.pending, amqp.FrameAMQP, channel, fill)
	c.signal()
}

// signal wakes the writer.
func (c *conn) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// shutdown makes the writer say goodbye and end. It then closes the
// connection unless that is to linger.
func (c *conn) shutdown(cond *condition, linger bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue(0, func(e *amqp.Encoder) {
		e.Composite(amqp.CloseType, func() { cond.encode(e) })
	})
	c.closing = true
	c.lingers = c.lingers || linger
	c.signal()
}

// cut breaks the connection without a word.
func (c *conn) cut() { c.raw.Close() }
