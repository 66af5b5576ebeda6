package eventhub

import "sync/atomic"

const (
	maxBatch      = 1000    // messages a batch
	maxBatchBytes = 4 << 20 // of bodies, unless one message alone is larger
	// messageOverhead is what a received message costs beside its body:
	// annotation maps and the SDK's structs.
	messageOverhead = 1 << 10
	firstSize       = 64 << 10 // guess before the first message: a full diagnostic-settings batch
)

// budget is the prefetch bound, shared evenly by the partitions being read.
type budget struct {
	total int64
	pumps atomic.Int64
}

func (b *budget) share() int64 { return b.total / max(1, b.pumps.Load()) }

// window turns bytes into messages for one partition.
//
// The SDK's credit counts messages. With its prefetch off, each ReceiveEvents
// tops the outstanding credit up to its count, so the window may differ at
// every call and follows the size of the messages seen. At most one window is
// on its way or in the SDK's queue and at most two are in the batch being
// decided: three windows make the partition's share. That holds while sizes
// are steady; when they jump, what credit was already given may overshoot
// once, by at most one window of the new size.
type window struct {
	size float64 // estimated bytes a message; 0 before the first
}

// messages returns how many messages to allow for, given share bytes.
func (w *window) messages(share int64) int {
	size := w.size
	if size == 0 {
		size = firstSize
	}
	return int(min(maxBatch, max(1, float64(share)/3/size)))
}

// observe learns from n messages of bytes together: at once when they are
// larger than thought, slowly when they are smaller.
func (w *window) observe(n, bytes int) {
	if n == 0 {
		return
	}
	mean := float64(bytes)/float64(n) + messageOverhead
	if mean >= w.size {
		w.size = mean
		return
	}
	w.size += (mean - w.size) * float64(n) / float64(n+32)
}
