package localhub_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest/localhub"
)

// publish stores events with the bodies from, from+1, … in partition 0 of logs.
func publish(t testing.TB, h *localhub.Hub, from, n int) {
	t.Helper()
	for i := range n {
		if err := h.Publish("logs", "0", localhub.Message{Body: fmt.Append(nil, from+i)}); err != nil {
			t.Fatal(err)
		}
	}
}

func bodies(from, n int) []string {
	var s []string
	for i := range n {
		s = append(s, fmt.Sprint(from+i))
	}
	return s
}

// attached is a receiver from the start that has received the first event.
func attached(t *testing.T, h *localhub.Hub, addr string) *azeventhubs.PartitionClient {
	t.Helper()
	pc := open(t, newConsumer(t, h.ConnectionString(addr, "logs"), "$Default"), "0", azeventhubs.PartitionClientOptions{StartPosition: fromStart})
	publish(t, h, 0, 1)
	receive(t, pc, 1)
	return pc
}

// rest receives events until n are there, over whatever interruptions the SDK
// leaves to its caller.
func rest(t *testing.T, pc *azeventhubs.PartitionClient, n int) []string {
	t.Helper()
	var got []string
	for len(got) < n {
		events, err := pc.ReceiveEvents(deadline(t), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			got = append(got, string(e.Body))
		}
	}
	return got
}

func TestConsumerRecoversFromACutConnection(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	pc := attached(t, h, addr)
	if n := h.Faults().Cut(); n != 1 {
		t.Fatalf("%d connections cut, want 1", n)
	}
	publish(t, h, 1, 3)
	if diff := cmp.Diff(bodies(1, 3), rest(t, pc, 3)); diff != "" {
		t.Error(diff)
	}
	if s := h.Stats(); s.Accepted != 2 {
		t.Errorf("%d connections, want a second after the cut", s.Accepted)
	}
}

func TestConsumerRecoversFromACutWithinAStream(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	pc := attached(t, h, addr)
	h.Faults().CutAfter(5)
	publish(t, h, 1, 20)
	if diff := cmp.Diff(bodies(1, 20), rest(t, pc, 20)); diff != "" {
		t.Error(diff)
	}
	if s := h.Stats(); s.Accepted != 2 {
		t.Errorf("%d connections, want a second after the cut", s.Accepted)
	}
}

func TestNothingIsLostOverManyCuts(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	const n, every = 300, 50
	publish(t, h, 0, n)
	pc := open(t, newConsumer(t, h.ConnectionString(addr, "logs"), "$Default"), "0",
		azeventhubs.PartitionClientOptions{StartPosition: fromStart, Prefetch: 10})
	for next := range n {
		if next%every == 0 {
			h.Faults().CutAfter(7)
		}
		if got := rest(t, pc, 1)[0]; got != fmt.Sprint(next) {
			t.Fatalf("received %s, want %d", got, next)
		}
	}
	if s := h.Stats(); s.Accepted != 1+n/every {
		t.Errorf("%d connections, want one after each cut", s.Accepted)
	}
}

func TestProducerRecoversFromACutConnection(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	p := newProducer(t, h.ConnectionString(addr, "logs"))
	send(t, p, azeventhubs.EventDataBatchOptions{PartitionID: new("0")}, numbered(0, 1)...)
	h.Faults().Cut()
	send(t, p, azeventhubs.EventDataBatchOptions{PartitionID: new("0")}, numbered(1, 1)...)
	if e := h.Stats().Partitions[0].Events; e != 2 {
		t.Errorf("%d events, want 2", e)
	}
}

func TestConsumerRecoversFromServerBusy(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	pc := attached(t, h, addr)
	h.Faults().RefuseAttaches(2, localhub.ServerBusy)
	if n := h.Faults().Detach("logs", "0", localhub.ServerBusy); n != 1 {
		t.Fatalf("%d consumers detached, want 1", n)
	}
	publish(t, h, 1, 3)
	if diff := cmp.Diff(bodies(1, 3), rest(t, pc, 3)); diff != "" {
		t.Error(diff)
	}
}

func TestProducerRecoversFromServerBusy(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	p := newProducer(t, h.ConnectionString(addr, "logs"))
	h.Faults().RefuseAttaches(1, localhub.ServerBusy)
	h.Faults().RefuseSends(2, localhub.ServerBusy)
	send(t, p, azeventhubs.EventDataBatchOptions{PartitionID: new("0")}, numbered(0, 1)...)
	h.Faults().RefuseSends(1, "amqp:resource-limit-exceeded")
	b, err := p.NewEventDataBatch(deadline(t), &azeventhubs.EventDataBatchOptions{PartitionID: new("0")})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.AddEventData(numbered(1, 1)[0], nil); err != nil {
		t.Fatal(err)
	}
	if err := p.SendEventDataBatch(deadline(t), b, nil); err == nil || !strings.Contains(err.Error(), "amqp:resource-limit-exceeded") {
		t.Errorf("a condition that is not worth retrying: %v", err)
	}
	if e := h.Stats().Partitions[0].Events; e != 1 {
		t.Errorf("%d events, want 1", e)
	}
}

func TestDuplicatesArriveTwice(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	pc := attached(t, h, addr)
	h.Faults().Duplicate(2)
	publish(t, h, 1, 3)
	if diff := cmp.Diff([]string{"1", "1", "2", "2", "3"}, rest(t, pc, 5)); diff != "" {
		t.Error(diff)
	}
}

func TestDelayHoldsEachDelivery(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	pc := attached(t, h, addr)
	const delay = 20 * time.Millisecond
	h.Faults().Delay(delay)
	start := time.Now()
	publish(t, h, 1, 3)
	if diff := cmp.Diff(bodies(1, 3), rest(t, pc, 3)); diff != "" {
		t.Error(diff)
	}
	if took := time.Since(start); took < 3*delay {
		t.Errorf("three deliveries took %v", took)
	}
	h.Faults().Delay(time.Hour)
	publish(t, h, 4, 1)
	h.Faults().Delay(0)
	if diff := cmp.Diff(bodies(4, 1), rest(t, pc, 1)); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedTokenIsUnauthorized(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	h.Faults().RefuseTokens(1)
	p := newProducer(t, h.ConnectionString(addr, "logs"))
	if _, err := p.NewEventDataBatch(deadline(t), nil); !unauthorized(err) {
		t.Errorf("got %v", err)
	}
	send(t, p, azeventhubs.EventDataBatchOptions{}, numbered(0, 1)...)
}
