package eventhub

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"phiwatch/ingest"
	"phiwatch/ingest/localhub"
)

// filled is a hub whose four partitions hold n messages of size together.
func filled(t testing.TB, n, size int) (string, *localhub.Hub) {
	h, addr := serve(t, localhub.Config{RetentionBytes: 1 << 30, Hubs: []localhub.HubConfig{{Name: "logs", Partitions: 4}}})
	body := bytes.Repeat([]byte("x"), size)
	msgs := make([]localhub.Message, n/4)
	for i := range msgs {
		msgs[i].Body = body
	}
	for p := range 4 {
		if err := h.Publish("logs", fmt.Sprint(p), msgs...); err != nil {
			t.Fatal(err)
		}
	}
	return addr, h
}

// BenchmarkDrain compares the source with the SDK's own clients in one run:
// prefetch 300, batches of 100, no Processor, nothing done with the messages.
func BenchmarkDrain(b *testing.B) {
	for _, c := range []struct {
		name    string
		n, size int
	}{{"1500B", 100_000, 1500}, {"64KiB", 8_000, 64 << 10}} {
		addr, h := filled(b, c.n, c.size)
		for _, v := range []struct {
			name  string
			drain func(*testing.B, string, int)
		}{{"sdk", drainSDK}, {"source", drainSource}} {
			b.Run(c.name+"/"+v.name, func(b *testing.B) {
				before := cpu()
				for b.Loop() {
					v.drain(b, h.ConnectionString(addr, "logs"), c.n)
				}
				total := float64(c.n) * float64(b.N)
				b.ReportMetric(total/b.Elapsed().Seconds(), "msg/s")
				b.ReportMetric((cpu()-before).Seconds()*1e9/total, "cpu-ns/msg") // the hub's included; steadier on a busy machine
			})
		}
	}
}

// cpu is the processor time this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func drainSDK(b *testing.B, connection string, n int) {
	client, err := azeventhubs.NewConsumerClientFromConnectionString(connection, "", "$Default", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close(b.Context())
	var wg sync.WaitGroup
	for p := range 4 {
		wg.Go(func() {
			pc, err := client.NewPartitionClient(fmt.Sprint(p), &azeventhubs.PartitionClientOptions{StartPosition: start{}.position()})
			if err != nil {
				b.Error(err)
				return
			}
			defer pc.Close(b.Context())
			for got := 0; got < n/4; {
				events, err := pc.ReceiveEvents(b.Context(), min(100, n/4-got), nil)
				if err != nil {
					b.Error(err)
					return
				}
				got += len(events)
			}
		})
	}
	wg.Wait()
}

func drainSource(b *testing.B, connection string, n int) {
	b.StopTimer()
	db := sqlite(b)
	b.StartTimer()
	s, err := newSource(Config{Hubs: []Hub{{ConnectionString: connection}}}, db, slog.New(slog.DiscardHandler), newRegistry(), defaultTiming)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	var got atomic.Int64
	ended := make(chan error)
	go func() {
		ended <- s.Run(ctx, func(_ context.Context, batch ingest.Batch) error {
			if got.Add(int64(len(batch.Messages))) == int64(n) {
				cancel()
			}
			return nil
		})
	}()
	if err := <-ended; err != nil {
		b.Error(err)
	}
}

// What the source holds of large messages is bounded by bytes, not by messages:
// the SDK's own prefetch of 300 would be 75 MB a partition here.
func TestLargeMessagesStayWithinThePrefetchBudget(t *testing.T) {
	const n, size = 1200, 250 << 10
	addr, h := filled(t, n, size) // the hub's own memory is part of the base
	db := sqlite(t)
	c := Config{PrefetchBytes: 16 << 20, Hubs: []Hub{{ConnectionString: h.ConnectionString(addr, "logs")}}}
	runtime.GC()
	var base runtime.MemStats
	runtime.ReadMemStats(&base)
	var got, most atomic.Int64
	held := make(chan struct{})
	all := make(chan struct{})
	run(t, db, c, func(_ context.Context, b ingest.Batch) error {
		if got.Load() > n/3 {
			<-held // let everything fill up behind this batch
		}
		if got.Add(int64(len(b.Messages))) == n {
			close(all)
		}
		return nil
	})
	eventually(t, "a third is read", func() bool { return got.Load() > n/3 })
	for range 5 { // until no more arrives
		if !sleep(deadline(t), 20*time.Millisecond) {
			t.Fatal("not in time")
		}
		runtime.GC()
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		most.Store(max(most.Load(), int64(now.HeapAlloc)-int64(base.HeapAlloc)))
	}
	close(held)
	<-all
	t.Logf("%d MiB live beyond the base, budget 16 MiB", most.Load()>>20)
	if most.Load() > 3*16<<20 {
		t.Errorf("%d MiB live of a budget of 16 MiB", most.Load()>>20)
	}
}

// BenchmarkArrival is the time from a message's entry into an idle hub to handle.
func BenchmarkArrival(b *testing.B) {
	h, addr := serve(b, localhub.Config{})
	db := sqlite(b)
	s, err := newSource(logs(h, addr), db, slog.New(slog.DiscardHandler), newRegistry(), defaultTiming)
	if err != nil {
		b.Fatal(err)
	}
	arrived := make(chan struct{}, 1)
	begin(b, s, func(context.Context, ingest.Batch) error { arrived <- struct{}{}; return nil })
	publish(b, h, "logs", "0", `{}`)
	<-arrived
	for b.Loop() {
		publish(b, h, "logs", "0", `{}`)
		<-arrived
	}
}
