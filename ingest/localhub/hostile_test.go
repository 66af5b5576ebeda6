package localhub_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"phiwatch/ingest/localhub"
	"phiwatch/ingest/localhub/internal/amqp"
)

// peer is a client without manners: it says what it is told to say.
type peer struct {
	t  testing.TB
	nc net.Conn
}

func connect(t testing.TB, addr string) *peer {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	return &peer{t: t, nc: nc}
}

// opened is a peer behind the handshake, with a session on channel 0.
func opened(t testing.TB, addr string) *peer {
	t.Helper()
	p := connect(t, addr)
	p.raw([]byte("AMQP\x00\x01\x00\x00"))
	p.frame(0, amqp.OpenType, func(e *amqp.Encoder) { e.String("peer") })
	header := make([]byte, 8)
	if _, err := io.ReadFull(p.nc, header); err != nil {
		t.Fatal(err)
	}
	p.await(amqp.OpenType)
	p.frame(0, amqp.BeginType, func(e *amqp.Encoder) { e.Null(); e.Uint(0); e.Uint(100); e.Uint(100) })
	p.await(amqp.BeginType)
	return p
}

func (p *peer) raw(b []byte) { p.nc.Write(b) } // the hub may have hung up

func (p *peer) frame(channel uint16, kind uint64, fields func(e *amqp.Encoder)) {
	p.raw(amqp.AppendFrame(nil, amqp.FrameAMQP, channel, func(e *amqp.Encoder) { e.Composite(kind, func() { fields(e) }) }))
}

func (p *peer) transfer(handle, id uint32, more bool, payload []byte) {
	p.raw(amqp.AppendTransfer(nil, 0, handle, id, true, false, more, payload))
}

// next reads a frame; io.EOF or the like when the hub has hung up.
func (p *peer) next() (uint64, amqp.Fields, error) {
	header := make([]byte, amqp.HeaderSize)
	if _, err := io.ReadFull(p.nc, header); err != nil {
		return 0, amqp.Fields{}, err
	}
	h, err := amqp.ParseHeader(header, 1<<20)
	if err != nil {
		return 0, amqp.Fields{}, err
	}
	body := make([]byte, h.Size-amqp.HeaderSize)
	if _, err := io.ReadFull(p.nc, body); err != nil {
		return 0, amqp.Fields{}, err
	}
	kind, f, _, err := amqp.Performative(body)
	return kind, f, err
}

// await reads up to a performative.
func (p *peer) await(want uint64) amqp.Fields {
	p.t.Helper()
	for {
		kind, f, err := p.next()
		if err != nil {
			p.t.Fatalf("waiting for %#x: %v", want, err)
		}
		if kind == want {
			return f
		}
	}
}

// fate is the condition with which the hub closes the connection or detaches
// a link, "hung up" if it says nothing.
func (p *peer) fate() string {
	for {
		kind, f, err := p.next()
		if err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				return "nothing"
			}
			return "hung up"
		}
		switch kind {
		case amqp.DetachType:
			f.Skip()
			f.Skip()
			fallthrough
		case amqp.CloseType:
			raw := f.Raw()
			if raw == nil {
				return "closed"
			}
			e, err := amqp.Composite(raw, amqp.ErrorType)
			if err != nil {
				return err.Error()
			}
			return e.String()
		}
	}
}

func (p *peer) attachCBS(handle uint32) {
	p.frame(0, amqp.AttachType, func(e *amqp.Encoder) {
		e.String(fmt.Sprint("link", handle))
		e.Uint(handle)
		e.Bool(false)
		e.Null()
		e.Null()
		e.Null()
		e.Composite(amqp.TargetType, func() { e.String("$cbs") })
	})
}

// rawSend sends a message that a well-behaved client would not, and returns
// what the hub says to it.
func rawSend(t testing.TB, addr string, payload []byte) error {
	p := opened(t, addr)
	p.attachCBS(0)
	p.await(amqp.FlowType)
	for len(payload) > 0 {
		n := min(len(payload), 60_000)
		p.transfer(0, 0, n < len(payload), payload[:n])
		payload = payload[n:]
	}
	return errors.New(p.fate())
}

func TestBrokenRulesEndTheConnection(t *testing.T) {
	h, addr := serve(t, keyed(localhub.Config{}))
	nothing := func(*amqp.Encoder) {}
	for _, tt := range []struct {
		name string
		do   func(p *peer)
		want string
	}{
		{"frame larger than agreed", func(p *peer) { p.raw([]byte{0x7f, 0xff, 0xff, 0xff, 2, 0, 0, 0}) }, "amqp:connection:framing-error"},
		{"frame shorter than its header", func(p *peer) { p.raw([]byte{0, 0, 0, 4, 2, 0, 0, 0}) }, "amqp:connection:framing-error"},
		{"body before the header ends", func(p *peer) { p.raw([]byte{0, 0, 0, 8, 1, 0, 0, 0}) }, "amqp:connection:framing-error"},
		{"sasl frame", func(p *peer) { p.raw([]byte{0, 0, 0, 9, 2, 1, 0, 0, 0x40}) }, "amqp:connection:framing-error"},
		{"no performative", func(p *peer) { p.raw([]byte{0, 0, 0, 9, 2, 0, 0, 0, 0x40}) }, "amqp:decode-error"},
		{"unknown performative", func(p *peer) { p.frame(0, 0x19, nothing) }, "amqp:connection:framing-error"},
		{"unknown channel", func(p *peer) { p.frame(9, amqp.FlowType, nothing) }, "amqp:connection:framing-error"},
		{"channel beyond the limit", func(p *peer) { p.frame(60000, amqp.BeginType, nothing) }, "amqp:connection:framing-error"},
		{"channel in use", func(p *peer) { p.frame(0, amqp.BeginType, nothing) }, "amqp:connection:framing-error"},
		{"handle beyond the limit", func(p *peer) { p.attachCBS(100_000) }, "amqp:resource-limit-exceeded"},
		{"handle in use", func(p *peer) { p.attachCBS(1); p.attachCBS(1) }, "amqp:session:handle-in-use"},
		{"name without measure", func(p *peer) {
			p.frame(0, amqp.AttachType, func(e *amqp.Encoder) { e.String(strings.Repeat("n", 10_000)); e.Uint(0); e.Bool(true) })
		}, "amqp:resource-limit-exceeded"},
		{"transfer without link", func(p *peer) { p.transfer(5, 0, false, nil) }, "amqp:session:unattached-handle"},
		{"detach without link", func(p *peer) { p.frame(0, amqp.DetachType, func(e *amqp.Encoder) { e.Uint(3) }) }, "amqp:session:unattached-handle"},
		{"flow without link", func(p *peer) {
			p.frame(0, amqp.FlowType, func(e *amqp.Encoder) { e.Uint(0); e.Uint(9); e.Uint(0); e.Uint(9); e.Uint(7) })
		}, "amqp:session:unattached-handle"},
		{"field of the wrong type", func(p *peer) { p.frame(0, amqp.AttachType, func(e *amqp.Encoder) { e.Bool(true) }) }, "amqp:decode-error"},
		{"more deliveries than credit", func(p *peer) {
			p.attachCBS(0)
			for i := range uint32(2000) { // unfinished ones, each aborting the last
				p.raw(amqp.AppendTransfer(nil, 0, 0, i, true, true, false, []byte("x")))
			}
			p.frame(0, amqp.CloseType, nothing)
		}, "closed"},
		{"too many unfinished deliveries", func(p *peer) {
			part := make([]byte, 60_000)
			for link := range uint32(20) {
				p.attachCBS(link)
				for range 10 {
					p.transfer(link, 0, true, part)
				}
			}
		}, "amqp:resource-limit-exceeded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := opened(t, addr)
			tt.do(p)
			if got := p.fate(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	until(t, func() bool { return h.Stats().Connections == 0 })
}

func TestSilentClientsAreLeft(t *testing.T) {
	h, addr := serve(t, localhub.Config{IdleTimeout: 50 * time.Millisecond})
	p := opened(t, addr)
	if got := p.fate(); got != "closed" {
		t.Errorf("got %s", got)
	}
	until(t, func() bool { return h.Stats().Connections == 0 })
}

func TestStrangersAreTurnedAway(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	for _, hello := range []string{"GET / HTTP/1.1\r\n\r\n", "AMQP\x00\x00\x09\x01", "AMQP\x03\x01\x00\x00\x00\x00\x00\x08\x02\x01\x00\x00"} {
		p := connect(t, addr)
		p.raw([]byte(hello))
		if _, err := io.Copy(io.Discard, p.nc); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("%q: %v", hello, err)
		}
	}
	until(t, func() bool { return h.Stats().Connections == 0 })
}

// TestUnreadAnswersStopTheReader: a client that asks without end and reads
// nothing must not make the hub gather answers.
func TestUnreadAnswersStopTheReader(t *testing.T) {
	h, err := localhub.New(localhub.Config{Hubs: []localhub.HubConfig{{Name: "logs"}}})
	if err != nil {
		t.Fatal(err)
	}
	client, server := net.Pipe() // without a buffer of its own
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); h.ServeConn(ctx, server) }()
	go io.CopyN(io.Discard, client, 60) // the answers to the handshake, more or less
	var b []byte
	b = append(b, "AMQP\x00\x01\x00\x00"...)
	b = amqp.AppendFrame(b, amqp.FrameAMQP, 0, func(e *amqp.Encoder) { e.Composite(amqp.OpenType, func() { e.String("x") }) })
	b = amqp.AppendFrame(b, amqp.FrameAMQP, 0, func(e *amqp.Encoder) {
		e.Composite(amqp.BeginType, func() { e.Null(); e.Uint(0); e.Uint(1); e.Uint(1) })
	})
	client.SetWriteDeadline(time.Now().Add(10 * time.Second))
	if _, err := client.Write(b); err != nil {
		t.Fatal(err)
	}
	echo := amqp.AppendFrame(nil, amqp.FrameAMQP, 0, func(e *amqp.Encoder) {
		e.Composite(amqp.DispositionType, func() { e.Bool(true); e.Uint(0); e.Null(); e.Bool(false) })
	})
	client.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
	sent := 0
	for {
		n, err := client.Write(bytes.Repeat(echo, 1000))
		sent += n
		if err != nil {
			break
		}
		if sent > 64<<20 {
			t.Fatal("the hub takes requests for ever")
		}
	}
	stop()
	client.Close()
	<-ended
}
