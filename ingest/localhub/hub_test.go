package localhub_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"phiwatch/ingest/localhub"
)

// retries keep the SDK's own back-off from making tests slow.
var retries = azeventhubs.RetryOptions{MaxRetries: 5, RetryDelay: time.Millisecond, MaxRetryDelay: 20 * time.Millisecond}

// serve runs a namespace until the test ends and returns it with the address.
func serve(t testing.TB, cfg localhub.Config) (*localhub.Hub, string) {
	t.Helper()
	if cfg.Hubs == nil {
		cfg.Hubs = []localhub.HubConfig{{Name: "logs", Partitions: 2, ConsumerGroups: []string{"other"}}}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	h, err := localhub.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln := listen(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- h.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return h, ln.Addr().String()
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// deadline is a context for a test that must not hang.
func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func newProducer(t testing.TB, connection string) *azeventhubs.ProducerClient {
	t.Helper()
	p, err := azeventhubs.NewProducerClientFromConnectionString(connection, "", &azeventhubs.ProducerClientOptions{RetryOptions: retries})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(context.Background()) })
	return p
}

func newConsumer(t testing.TB, connection, group string) *azeventhubs.ConsumerClient {
	t.Helper()
	c, err := azeventhubs.NewConsumerClientFromConnectionString(connection, "", group, &azeventhubs.ConsumerClientOptions{RetryOptions: retries})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

// open attaches a receiver to a partition.
func open(t testing.TB, c *azeventhubs.ConsumerClient, partition string, o azeventhubs.PartitionClientOptions) *azeventhubs.PartitionClient {
	t.Helper()
	pc, err := c.NewPartitionClient(partition, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close(context.Background()) })
	return pc
}

// receive takes n events and returns their bodies.
func receive(t testing.TB, pc *azeventhubs.PartitionClient, n int) []string {
	t.Helper()
	events, err := pc.ReceiveEvents(deadline(t), n, nil)
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	var bodies []string
	for _, e := range events {
		bodies = append(bodies, string(e.Body))
	}
	return bodies
}

func send(t testing.TB, p *azeventhubs.ProducerClient, o azeventhubs.EventDataBatchOptions, events ...*azeventhubs.EventData) {
	t.Helper()
	b, err := p.NewEventDataBatch(deadline(t), &o)
	if err != nil {
		t.Fatalf("batch: %v", err)
	}
	for _, e := range events {
		if err := b.AddEventData(e, nil); err != nil {
			t.Fatalf("add: %v", err)
		}
	}
	if err := p.SendEventDataBatch(deadline(t), b, nil); err != nil {
		t.Fatalf("send: %v", err)
	}
}

// numbered makes events whose bodies are from, from+1, …
func numbered(from, n int) []*azeventhubs.EventData {
	var events []*azeventhubs.EventData
	for i := range n {
		events = append(events, &azeventhubs.EventData{Body: fmt.Appendf(nil, "%d", from+i)})
	}
	return events
}

var fromStart = azeventhubs.StartPosition{Earliest: new(true)}

// consumers is how many are attached to any partition.
func consumers(h *localhub.Hub) int {
	n := 0
	for _, p := range h.Stats().Partitions {
		n += p.Consumers
	}
	return n
}

// until waits for something that another goroutine or process is about to do.
func until(t testing.TB, done func() bool) {
	t.Helper()
	for ctx := deadline(t); !done(); runtime.Gosched() {
		if ctx.Err() != nil {
			t.Fatal("waited in vain")
		}
	}
}
