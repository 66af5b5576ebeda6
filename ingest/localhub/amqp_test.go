package localhub_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"phiwatch/ingest/localhub"
)

// dial connects as other clients than the SDK do, and shows a token for the
// whole namespace.
func dial(t testing.TB, addr string, o amqp.ConnOptions) *amqp.Session {
	t.Helper()
	o.SASLType = amqp.SASLTypeAnonymous()
	c, err := amqp.Dial(deadline(t), "amqp://"+addr, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	s, err := c.NewSession(deadline(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	sas := localhub.Sign("RootManageSharedAccessKey", "key", "amqp://hub.example.org", time.Now().Add(time.Hour))
	code, description := request(t, s, "$cbs", &amqp.Message{Value: sas, ApplicationProperties: map[string]any{
		"operation": "put-token", "type": "servicebus.windows.net:sastoken", "name": "amqp://hub.example.org/"}})
	if code != 202 {
		t.Fatalf("put-token: %d %s", code, description)
	}
	return s
}

// request asks a node and returns status and description of its answer.
func request(t testing.TB, s *amqp.Session, node string, m *amqp.Message) (int32, string) {
	t.Helper()
	in, err := s.NewReceiver(deadline(t), node, &amqp.ReceiverOptions{TargetAddress: "here"})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close(t.Context())
	out, err := s.NewSender(deadline(t), node, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close(t.Context())
	m.Properties = &amqp.MessageProperties{MessageID: uint64(77), ReplyTo: new("here")}
	if err := out.Send(deadline(t), m, nil); err != nil {
		t.Fatal(err)
	}
	answer, err := in.Receive(deadline(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Properties.CorrelationID != uint64(77) {
		t.Errorf("correlation id %v", answer.Properties.CorrelationID)
	}
	return answer.ApplicationProperties["status-code"].(int32), answer.ApplicationProperties["status-description"].(string)
}

const from0 = "logs/ConsumerGroups/$Default/Partitions/0"

func keyed(cfg localhub.Config) localhub.Config {
	cfg.Key = "key"
	return cfg
}

func TestSmallFramesCarryLargeMessages(t *testing.T) {
	_, addr := serve(t, keyed(localhub.Config{}))
	s := dial(t, addr, amqp.ConnOptions{MaxFrameSize: 513})
	out, err := s.NewSender(deadline(t), "logs/Partitions/0", nil)
	if err != nil {
		t.Fatal(err)
	}
	var bodies [][]byte
	for i := range 3 {
		bodies = append(bodies, bytes.Repeat([]byte{byte('a' + i)}, 1_000_000))
		if err := out.Send(deadline(t), amqp.NewMessage(bodies[i]), nil); err != nil {
			t.Fatal(err)
		}
	}
	// 6,500 frames come back: more than the client's session window.
	in, err := s.NewReceiver(deadline(t), from0, &amqp.ReceiverOptions{Credit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for i := range bodies {
		m, err := in.Receive(deadline(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(m.GetData(), bodies[i]) {
			t.Errorf("message %d differs", i)
		}
	}
}

func TestDrainUsesCreditUp(t *testing.T) {
	h, addr := serve(t, keyed(localhub.Config{}))
	publish(t, h, 0, 2)
	in, err := dial(t, addr, amqp.ConnOptions{}).NewReceiver(deadline(t), from0, &amqp.ReceiverOptions{Credit: -1})
	if err != nil {
		t.Fatal(err)
	}
	credit := func(n uint32) {
		t.Helper()
		if err := in.IssueCredit(n); err != nil {
			t.Fatal(err)
		}
	}
	arrives := func(want string) {
		t.Helper()
		if m, err := in.Receive(deadline(t), nil); err != nil || string(m.GetData()) != want {
			t.Fatalf("got %v, %v, want %s", m, err, want)
		}
	}
	drain := func() {
		t.Helper()
		if err := in.DrainCredit(deadline(t), nil); err != nil {
			t.Fatal(err)
		}
		if m := in.Prefetched(); m != nil {
			t.Fatalf("a delivery without credit: %s", m.GetData())
		}
	}
	credit(5)
	arrives("0")
	arrives("1")
	drain() // of three credits
	publish(t, h, 2, 2)
	drain() // of none
	credit(1)
	arrives("2")
	drain()
	if d := h.Stats().Partitions[0].Delivered; d != 3 {
		t.Errorf("%d deliveries, want 3", d)
	}
}

func TestUnsettledDeliveriesCanBeSettled(t *testing.T) {
	h, addr := serve(t, keyed(localhub.Config{}))
	publish(t, h, 0, 2)
	in, err := dial(t, addr, amqp.ConnOptions{}).NewReceiver(deadline(t), from0, &amqp.ReceiverOptions{
		RequestedSenderSettleMode: amqp.SenderSettleModeUnsettled.Ptr(), SettlementMode: amqp.ReceiverSettleModeSecond.Ptr()})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		m, err := in.Receive(deadline(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := in.AcceptMessage(deadline(t), m); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMessageOverTheLimitEndsTheLink(t *testing.T) {
	h, addr := serve(t, keyed(localhub.Config{MaxMessageBytes: 100_000}))
	s := dial(t, addr, amqp.ConnOptions{})
	out, err := s.NewSender(deadline(t), "logs", nil)
	if err != nil {
		t.Fatal(err)
	}
	if limit := out.MaxMessageSize(); limit != 100_000 {
		t.Errorf("announced limit %d", limit)
	}
	err = rawSend(t, addr, make([]byte, 100_001))
	if err == nil || !strings.Contains(err.Error(), "amqp:link:message-size-exceeded") {
		t.Errorf("got %v", err)
	}
	for _, p := range h.Stats().Partitions {
		if p.Events > 0 {
			t.Errorf("partition %s kept it", p.ID)
		}
	}
}

func TestMalformedMessagesAreRejected(t *testing.T) {
	h, addr := serve(t, keyed(localhub.Config{}))
	out, err := dial(t, addr, amqp.ConnOptions{}).NewSender(deadline(t), "logs", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*amqp.Message{
		"batch of something else": {Format: 0x80013700, Data: [][]byte{[]byte("not a message")}},
		"batch of nothing":        {Format: 0x80013700, Value: "x"},
		"batch of empty messages": {Format: 0x80013700, Data: [][]byte{{}}},
	} {
		err := out.Send(deadline(t), m, nil)
		if _, ok := errors.AsType[*amqp.Error](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := out.Send(deadline(t), amqp.NewMessage([]byte("fine")), nil); err != nil {
		t.Errorf("the link does not go on: %v", err)
	}
	if s := h.Stats(); s.Partitions[0].Events+s.Partitions[1].Events != 1 {
		t.Errorf("kept %+v", s.Partitions)
	}
}

func TestForeignAnnotationsPassAndTheHubsAreItsOwn(t *testing.T) {
	_, addr := serve(t, keyed(localhub.Config{}))
	s := dial(t, addr, amqp.ConnOptions{})
	out, err := s.NewSender(deadline(t), "logs/Partitions/0", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Send(deadline(t), &amqp.Message{
		Header:              &amqp.MessageHeader{Durable: true},
		DeliveryAnnotations: amqp.Annotations{"x-hop": "1"},
		Annotations:         amqp.Annotations{"x-mine": "kept", "x-opt-sequence-number": int64(99), "x-opt-partition-key": "k"},
		Value:               map[string]any{"a": []any{int32(1), nil}},
	}, nil); err != nil {
		t.Fatal(err)
	}
	in, err := s.NewReceiver(deadline(t), from0, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := in.Receive(deadline(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := m.Annotations; a["x-mine"] != "kept" || a["x-opt-sequence-number"] != int64(0) || a["x-opt-partition-key"] != "k" {
		t.Errorf("annotations %v", a)
	}
	if !m.Header.Durable || m.DeliveryAnnotations != nil || fmt.Sprint(m.Value) != "map[a:[1 <nil>]]" {
		t.Errorf("header %v, delivery annotations %v, value %v", m.Header, m.DeliveryAnnotations, m.Value)
	}
}

func TestManagementRefusesWhatItDoesNotKnow(t *testing.T) {
	_, addr := serve(t, keyed(localhub.Config{}))
	s := dial(t, addr, amqp.ConnOptions{})
	for _, tt := range []struct {
		properties map[string]any
		want       int32
	}{
		{map[string]any{"operation": "READ", "type": "com.microsoft:eventhub", "name": "logs"}, 200},
		{map[string]any{"operation": "READ", "type": "com.microsoft:eventhub", "name": "missing"}, 404},
		{map[string]any{"operation": "READ", "type": "com.microsoft:partition", "name": "logs", "partition": "9"}, 404},
		{map[string]any{"operation": "READ", "type": "com.microsoft:consumergroup", "name": "logs"}, 400},
		{map[string]any{"operation": "DELETE", "type": "com.microsoft:eventhub", "name": "logs"}, 400},
	} {
		if code, description := request(t, s, "$management", &amqp.Message{ApplicationProperties: tt.properties}); code != tt.want || description == "" {
			t.Errorf("%v: %d %q, want %d", tt.properties, code, description, tt.want)
		}
	}
	if code, _ := request(t, s, "$cbs", &amqp.Message{ApplicationProperties: map[string]any{"operation": "delete-token"}}); code != 400 {
		t.Errorf("$cbs: %d", code)
	}
}

// TestReplyToMayNameTheLink: Microsoft's JavaScript SDK gives the name of its
// receiving link to $cbs as the address for the answer, others its target.
func TestReplyToMayNameTheLink(t *testing.T) {
	_, addr := serve(t, keyed(localhub.Config{}))
	s := dial(t, addr, amqp.ConnOptions{})
	in, err := s.NewReceiver(deadline(t), "$cbs", &amqp.ReceiverOptions{Name: "cbs-1"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.NewSender(deadline(t), "$cbs", nil)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(replyTo string) error {
		return out.Send(deadline(t), &amqp.Message{Value: "x", Properties: &amqp.MessageProperties{MessageID: "1", ReplyTo: &replyTo}}, nil)
	}
	if err := ask("cbs-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Receive(deadline(t), nil); err != nil {
		t.Error(err)
	}
	if err := ask("nowhere"); err == nil {
		t.Error("a request without anyone to answer was accepted")
	}
}

func TestLinksNeedAToken(t *testing.T) {
	_, addr := serve(t, localhub.Config{})
	c, err := amqp.Dial(deadline(t), "amqp://"+addr, &amqp.ConnOptions{SASLType: amqp.SASLTypeAnonymous()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.NewSession(deadline(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.NewReceiver(deadline(t), from0, nil); err == nil || !strings.Contains(err.Error(), "amqp:unauthorized-access") {
		t.Errorf("receiver: %v", err)
	}
	if _, err := s.NewSender(deadline(t), "logs", nil); err == nil || !strings.Contains(err.Error(), "amqp:unauthorized-access") {
		t.Errorf("sender: %v", err)
	}
	if code, _ := request(t, s, "$management", &amqp.Message{ApplicationProperties: map[string]any{
		"operation": "READ", "type": "com.microsoft:eventhub", "name": "logs"}}); code != 401 {
		t.Errorf("management: %d", code)
	}
}

func TestIdleConnectionsAreKeptAliveByBothSides(t *testing.T) {
	h, addr := serve(t, keyed(localhub.Config{IdleTimeout: 250 * time.Millisecond}))
	s := dial(t, addr, amqp.ConnOptions{IdleTimeout: 300 * time.Millisecond})
	in, err := s.NewReceiver(deadline(t), from0, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Neither side has anything to say for several times either timeout.
	ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
	defer cancel()
	if _, err := in.Receive(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	publish(t, h, 0, 1)
	if _, err := in.Receive(deadline(t), nil); err != nil {
		t.Error(err)
	}
}

func TestClientsAreToldWhenTheHubStops(t *testing.T) {
	h, err := localhub.New(localhub.Config{Hubs: []localhub.HubConfig{{Name: "logs"}}})
	if err != nil {
		t.Fatal(err)
	}
	ln := listen(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.Serve(ctx, ln) }()
	c, err := amqp.Dial(deadline(t), "amqp://"+ln.Addr().String(), &amqp.ConnOptions{SASLType: amqp.SASLTypeAnonymous()})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	<-c.Done()
	var e *amqp.ConnError
	if !errors.As(c.Err(), &e) || e.RemoteErr == nil || e.RemoteErr.Condition != amqp.ErrCondConnectionForced {
		t.Errorf("client saw %v", c.Err())
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	_, addr := serve(t, keyed(localhub.Config{MaxConnections: 1}))
	dial(t, addr, amqp.ConnOptions{})
	if c, err := amqp.Dial(deadline(t), "amqp://"+addr, nil); err == nil {
		c.Close()
		t.Error("a second connection was served")
	}
}
