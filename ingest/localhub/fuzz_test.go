package localhub

import (
	"bytes"
	"log/slog"
	"net"
	"testing"
	"time"

	"phiwatch/ingest/localhub/internal/amqp"
)

// FuzzDelivery: whatever a producer sends becomes events that a consumer can
// read, or is refused.
func FuzzDelivery(f *testing.F) {
	single, err := Message{Body: []byte("b"), MessageID: "m", Properties: map[string]any{"k": 1}}.encode()
	if err != nil {
		f.Fatal(err)
	}
	var annotated amqp.Encoder
	annotated.Descriptor(amqp.MessageAnnotationsSection)
	annotated.Map(func() {
		annotated.Symbol(annotationKey)
		annotated.String("ward-7")
		annotated.Symbol("x-mine")
		annotated.Long(1)
	})
	annotated.Descriptor(amqp.DataSection)
	annotated.Binary(single)
	f.Add(single, uint32(0))
	f.Add(annotated.Buf, uint32(0))
	f.Add(annotated.Buf, uint32(batchFormat))
	f.Add([]byte{0, 0x53, amqp.ValueSection, 0xd0, 0xff, 0xff, 0xff, 0xff}, uint32(0))
	f.Fuzz(func(t *testing.T, b []byte, format uint32) {
		events, err := parseDelivery(b, format, nil)
		if err != nil {
			return
		}
		p := newPartition("0", Config{}.withDefaults())
		p.append(events)
		for _, m := range p.read(0, make([]*message, 0, len(events)), 1<<30) {
			again, err := parseEvent(m.payload)
			if err != nil {
				t.Fatalf("stored event cannot be read: %v", err)
			}
			if room := again.size(); len(m.payload) > room {
				t.Errorf("event of %d bytes was given room for %d", len(m.payload), room)
			}
		}
	})
}

// FuzzConnection: whatever a client says behind the handshake, the hub neither
// panics nor hangs. Its coverage varies with the scheduler: fuzz it with
// -fuzzminimizetime 5x, or the engine spends its time minimizing.
func FuzzConnection(f *testing.F) {
	h, err := New(Config{Hubs: []HubConfig{{Name: "logs", Partitions: 1}}, Key: "key", RetentionBytes: 1 << 20, IdleTimeout: time.Second})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(conversation(h))
	f.Add([]byte{0, 0, 0, 9, 2, 0, 0, 0, 0x40})
	f.Fuzz(func(t *testing.T, b []byte) {
		h.ServeConn(t.Context(), script(b))
		if n := len(h.hubs["logs"].partitions[0].members()); n != 0 {
			t.Errorf("%d receivers left behind", n)
		}
	})
}

// scripted is a client that says what it has to say, listens to nothing, and
// hangs up.
type scripted struct {
	net.Conn // nil: the deadlines are below
	in       *bytes.Reader
}

// script is a client that says b behind the handshake.
func script(b []byte) *scripted {
	hello := amqp.AppendFrame([]byte("AMQP\x00\x01\x00\x00"), amqp.FrameAMQP, 0, func(e *amqp.Encoder) {
		e.Composite(amqp.OpenType, func() { e.String("x") })
	})
	return &scripted{in: bytes.NewReader(append(hello, b...))}
}

func (s *scripted) Read(b []byte) (int, error)       { return s.in.Read(b) }
func (s *scripted) Write(b []byte) (int, error)      { return len(b), nil }
func (s *scripted) Close() error                     { return nil }
func (s *scripted) RemoteAddr() net.Addr             { return &net.IPAddr{} }
func (s *scripted) SetDeadline(time.Time) error      { return nil }
func (s *scripted) SetReadDeadline(time.Time) error  { return nil }
func (s *scripted) SetWriteDeadline(time.Time) error { return nil }

// conversation is what a client with a right token says to receive and send.
func conversation(h *Hub) []byte {
	var b []byte
	say := func(kind uint64, fields func(e *amqp.Encoder)) {
		b = amqp.AppendFrame(b, amqp.FrameAMQP, 0, func(e *amqp.Encoder) { e.Composite(kind, func() { fields(e) }) })
	}
	attach := func(handle uint32, receiver bool, source, target string) {
		say(amqp.AttachType, func(e *amqp.Encoder) {
			e.String(source + target)
			e.Uint(handle)
			e.Bool(receiver)
			e.Null()
			e.Null()
			e.Composite(amqp.SourceType, func() { e.String(source) })
			e.Composite(amqp.TargetType, func() { e.String(target) })
			if receiver {
				for range 6 {
					e.Null()
				}
				e.Map(func() { e.Symbol("com.microsoft:epoch"); e.Long(1) })
			}
		})
	}
	say(amqp.BeginType, func(e *amqp.Encoder) { e.Null(); e.Uint(0); e.Uint(100); e.Uint(100) })
	attach(0, true, nodeCBS, "reply")
	attach(1, false, "", nodeCBS)
	var token amqp.Encoder
	token.Composite(amqp.PropertiesSection, func() { token.Ulong(1); token.Null(); token.Null(); token.Null(); token.String("reply") })
	token.Descriptor(amqp.ApplicationPropertiesSection)
	token.Map(func() {
		for _, kv := range [][2]string{{"operation", "put-token"}, {"type", tokenSAS}, {"name", "amqp://x/"}} {
			token.String(kv[0])
			token.String(kv[1])
		}
	})
	token.Descriptor(amqp.ValueSection)
	token.String(Sign(h.cfg.KeyName, h.cfg.Key, "amqp://x", time.Now().Add(1000*time.Hour)))
	b = amqp.AppendTransfer(b, 0, 1, 0, true, false, false, token.Buf)
	attach(2, true, "logs/ConsumerGroups/$Default/Partitions/0", "me")
	attach(3, false, "", "logs/Partitions/0")
	message, err := Message{Body: []byte("b")}.encode()
	if err != nil {
		panic(err)
	}
	b = amqp.AppendTransfer(b, 0, 3, 1, true, false, true, message[:3])
	b = amqp.AppendTransfer(b, 0, 3, 1, false, false, false, message[3:])
	say(amqp.FlowType, func(e *amqp.Encoder) {
		e.Uint(0)
		e.Uint(100)
		e.Uint(0)
		e.Uint(100)
		e.Uint(2)
		e.Uint(0)
		e.Uint(10)
		e.Null()
		e.Bool(true)
		e.Bool(true)
	})
	say(amqp.DetachType, func(e *amqp.Encoder) { e.Uint(3); e.Bool(true) })
	say(amqp.EndType, func(*amqp.Encoder) {})
	return b
}

func TestConversationOfTheFuzzTargetReachesThePartition(t *testing.T) {
	h, err := New(Config{Hubs: []HubConfig{{Name: "logs", Partitions: 1}},
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	h.ServeConn(t.Context(), script(conversation(h)))
	if s := h.Stats().Partitions[0]; s.Events != 1 || s.Consumers != 0 {
		t.Errorf("%+v", s)
	}
}
