package localhub_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest/localhub"
)

// checkpoints is a checkpoint store in memory.
type checkpoints struct {
	mu          sync.Mutex
	owners      map[string]azeventhubs.Ownership
	checkpoints map[string]azeventhubs.Checkpoint
	etag        int
}

func (c *checkpoints) ClaimOwnership(_ context.Context, wanted []azeventhubs.Ownership, _ *azeventhubs.ClaimOwnershipOptions) ([]azeventhubs.Ownership, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var claimed []azeventhubs.Ownership
	for _, o := range wanted {
		have, taken := c.owners[o.PartitionID]
		if taken && (o.ETag == nil || *have.ETag != *o.ETag) {
			continue
		}
		c.etag++
		o.ETag, o.LastModifiedTime = new(azcore.ETag(fmt.Sprint(c.etag))), time.Now().UTC()
		c.owners[o.PartitionID] = o
		claimed = append(claimed, o)
	}
	return claimed, nil
}

func (c *checkpoints) ListOwnership(context.Context, string, string, string, *azeventhubs.ListOwnershipOptions) ([]azeventhubs.Ownership, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.owners)), nil
}

func (c *checkpoints) ListCheckpoints(context.Context, string, string, string, *azeventhubs.ListCheckpointsOptions) ([]azeventhubs.Checkpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.checkpoints)), nil
}

func (c *checkpoints) SetCheckpoint(_ context.Context, cp azeventhubs.Checkpoint, _ *azeventhubs.SetCheckpointOptions) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Who has just lost the partition may come late, with an older one.
	if have, ok := c.checkpoints[cp.PartitionID]; !ok || *have.SequenceNumber < *cp.SequenceNumber {
		c.checkpoints[cp.PartitionID] = cp
	}
	return nil
}

// done is how many events the checkpoints lie behind.
func (c *checkpoints) done() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := int64(0)
	for _, cp := range c.checkpoints {
		n += *cp.SequenceNumber + 1
	}
	return int(n)
}

// owned is how many partitions each owner has.
func (c *checkpoints) owned() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := map[string]int{}
	for _, o := range c.owners {
		n[o.OwnerID]++
	}
	return n
}

// collected holds what processors have received.
type collected struct {
	mu   sync.Mutex
	seen map[string]int
}

func (c *collected) add(body string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[body]++
}

func (c *collected) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

// process runs a Processor until ctx is done.
func process(ctx context.Context, t *testing.T, connection string, store *checkpoints, got *collected) {
	client, err := azeventhubs.NewConsumerClientFromConnectionString(connection, "", "$Default", &azeventhubs.ConsumerClientOptions{RetryOptions: retries})
	if err != nil {
		t.Error(err)
		return
	}
	defer client.Close(context.Background())
	p, err := azeventhubs.NewProcessor(client, store, &azeventhubs.ProcessorOptions{
		UpdateInterval: 10 * time.Millisecond, LoadBalancingStrategy: azeventhubs.ProcessorStrategyBalanced,
		StartPositions: azeventhubs.StartPositions{Default: fromStart}})
	if err != nil {
		t.Error(err)
		return
	}
	var partitions sync.WaitGroup
	defer partitions.Wait()
	partitions.Go(func() {
		for {
			pc := p.NextPartitionClient(ctx)
			if pc == nil {
				return
			}
			partitions.Go(func() { consume(ctx, t, pc, got) })
		}
	})
	if err := p.Run(ctx); err != nil && ctx.Err() == nil {
		t.Errorf("processor: %v", err)
	}
}

func consume(ctx context.Context, t *testing.T, pc *azeventhubs.ProcessorPartitionClient, got *collected) {
	defer pc.Close(context.Background())
	for ctx.Err() == nil {
		events, err := pc.ReceiveEvents(ctx, 1, nil)
		var e *azeventhubs.Error
		if errors.As(err, &e) && e.Code == azeventhubs.ErrorCodeOwnershipLost {
			return
		}
		if err != nil {
			if ctx.Err() == nil {
				t.Errorf("partition %s: %v", pc.PartitionID(), err)
			}
			return
		}
		for _, ev := range events {
			got.add(string(ev.Body))
			if err := pc.UpdateCheckpoint(ctx, ev, nil); err != nil && ctx.Err() == nil {
				t.Errorf("checkpoint: %v", err)
			}
		}
	}
}

func TestTwoProcessorsShareFourPartitions(t *testing.T) {
	h, addr := serve(t, localhub.Config{Hubs: []localhub.HubConfig{{Name: "logs", Partitions: 4}}})
	store := &checkpoints{owners: map[string]azeventhubs.Ownership{}, checkpoints: map[string]azeventhubs.Checkpoint{}}
	got := &collected{seen: map[string]int{}}
	sent := 0
	more := func(n int) {
		for range n {
			if err := h.Publish("logs", "", localhub.Message{Body: fmt.Append(nil, sent)}); err != nil {
				t.Fatal(err)
			}
			sent++
		}
	}
	var processors sync.WaitGroup
	run := func(ctx context.Context, got *collected) {
		processors.Go(func() { process(ctx, t, h.ConnectionString(addr, "logs"), store, got) })
	}
	first, stop := context.WithCancel(t.Context())
	defer processors.Wait()
	defer stop()

	more(20)
	run(first, got)
	until(t, func() bool { return got.len() == sent && consumers(h) == 4 })
	run(first, got)
	until(t, func() bool {
		o := store.owned()
		for _, n := range o {
			if n != 2 {
				return false
			}
		}
		return len(o) == 2 && consumers(h) == 4
	})
	more(20)
	// What was received without a checkpoint would rightly come again.
	until(t, func() bool { return got.len() == sent && store.done() == sent })
	stop()
	processors.Wait()

	// A new processor goes on behind the checkpoints.
	store.owners = map[string]azeventhubs.Ownership{}
	second, end := context.WithCancel(t.Context())
	defer end()
	again := &collected{seen: map[string]int{}}
	more(8)
	run(second, again)
	until(t, func() bool { return again.len() >= 8 })
	end()
	processors.Wait()
	want := map[string]int{}
	for i := sent - 8; i < sent; i++ {
		want[fmt.Sprint(i)] = 1
	}
	if diff := cmp.Diff(want, again.seen); diff != "" {
		t.Error(diff)
	}
}
