package eventhub

import (
	"math/rand/v2"
	"testing"
)

func TestWindowFollowsMessageSize(t *testing.T) {
	const share = 8 << 20
	var w window
	if got := w.messages(share); got != 42 {
		t.Errorf("before the first message %d, want 42 of 64 KiB", got)
	}
	for range 20 {
		w.observe(100, 100*1<<10)
	}
	if got := w.messages(share); got != maxBatch {
		t.Errorf("small messages: %d, want the most, %d", got, maxBatch)
	}
	w.observe(4, 4<<20)
	if got := w.messages(share); got != 2 {
		t.Errorf("after large ones, at once %d, want 2", got)
	}
	for range 20 {
		w.observe(2, 2<<10)
	}
	if got := w.messages(share); got <= 2 || got > 100 {
		t.Errorf("after a few small ones %d, want a careful rise", got)
	}
	if got := w.messages(1); got != 1 {
		t.Errorf("no budget: %d, want 1: a partition never stops", got)
	}
}

// The bound that window promises, held against a model of the SDK: a queue that
// is topped up to the window and taken from twice for each batch.
func TestThreeWindowsStayInTheShare(t *testing.T) {
	const share = 8 << 20
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{200, 4 << 10, 60 << 10, 250 << 10, 1 << 20} {
		var w window
		w.observe(1, size) // steady
		outstanding := 0
		for range 1000 {
			n := w.messages(share)
			batch := 0
			for range 2 {
				outstanding = max(outstanding, n)
				taken := rnd.IntN(min(n, outstanding) + 1)
				outstanding, batch = outstanding-taken, batch+taken
			}
			outstanding = max(outstanding, n) // renewed before the batch is decided
			if held := (outstanding + batch) * size; held > share && n > 1 {
				t.Fatalf("messages of %d: %d bytes held of %d", size, held, share)
			}
			w.observe(batch, batch*size)
		}
	}
}

func TestBudgetIsSharedByThePartitionsRead(t *testing.T) {
	b := budget{total: 32 << 20}
	if got := b.share(); got != 32<<20 {
		t.Errorf("nobody reads: %d", got)
	}
	b.pumps.Store(4)
	if got := b.share(); got != 8<<20 {
		t.Errorf("four partitions: %d", got)
	}
}
