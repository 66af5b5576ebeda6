package localhub_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"phiwatch/ingest/localhub"
)

// BenchmarkDrain is how fast the SDK's PartitionClient empties a partition:
// the floor that any pipeline behind it stands on. A record is 5 KB.
func BenchmarkDrain(b *testing.B) {
	for _, secure := range []bool{false, true} {
		for _, records := range []int{1, 50} {
			name := map[bool]string{false: "tcp", true: "tls"}[secure]
			b.Run(fmt.Sprintf("%s/records=%d", name, records), func(b *testing.B) { drain(b, secure, records) })
		}
	}
}

func drain(b *testing.B, secure bool, records int) {
	cfg := localhub.Config{RetentionBytes: 512 << 20, Log: slog.New(slog.DiscardHandler)}
	o := azeventhubs.ConsumerClientOptions{RetryOptions: retries}
	if secure {
		server, pool := certificate(b)
		cfg.TLS = server
		o.TLSConfig = &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
	}
	h, addr := serve(b, cfg)
	body := bytes.Repeat([]byte("0123456789"), 500*records)
	held := 256 << 20 / len(body) // what is published at once and then drained
	c, err := azeventhubs.NewConsumerClientFromConnectionString(h.ConnectionString(addr, "logs"), "", azeventhubs.DefaultConsumerGroup, &o)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(context.Background())
	prefetch := int32(300)
	if records > 1 {
		prefetch = 50
	}
	msgs := make([]localhub.Message, 16)
	for i := range msgs {
		msgs[i].Body = body
	}
	for n := 0; n < held; n += len(msgs) {
		if err := h.Publish("logs", "0", msgs...); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; {
		pc, err := c.NewPartitionClient("0", &azeventhubs.PartitionClientOptions{StartPosition: fromStart, Prefetch: prefetch})
		if err != nil {
			b.Fatal(err)
		}
		for n := min(left, held); n > 0; {
			events, err := pc.ReceiveEvents(b.Context(), min(n, 100), nil)
			if err != nil {
				b.Fatal(err)
			}
			n -= len(events)
			left -= len(events)
		}
		pc.Close(b.Context())
	}
	b.ReportMetric(float64(b.N*records)/b.Elapsed().Seconds(), "records/s")
}
