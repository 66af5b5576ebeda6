package ingest

import (
	"context"
	"strings"
	"time"
)

// Partition names one partition of one hub. For files, Hub is "file" and ID the path.
type Partition struct {
	Hub string `json:"hub"` // as HubName writes it
	ID  string `json:"partition"`
}

// DefaultGroup is the consumer group that every hub has.
const DefaultGroup = "$Default"

// HubName returns the Partition.Hub of a hub read through a consumer group:
// "namespace/hub", or "namespace/hub/group" for a group other than
// DefaultGroup. Positions and metrics are kept under it. None of the three
// can hold a slash.
func HubName(namespace, hub, group string) string {
	if group == "" || group == DefaultGroup {
		return namespace + "/" + hub
	}
	return namespace + "/" + hub + "/" + group
}

// splitHub undoes HubName.
func splitHub(name string) (namespace, hub, group string) {
	namespace, hub, _ = strings.Cut(name, "/")
	hub, group, _ = strings.Cut(hub, "/")
	if group == "" {
		group = DefaultGroup
	}
	return namespace, hub, group
}

// Position is where a message stands in its partition.
type Position struct {
	Partition
	Sequence int64  `json:"sequence"`         // sequence number; for files, the line or file count from 1
	Offset   string `json:"offset,omitempty"` // the hub's opaque offset, what a receiver starts from
}

// Message is one message as delivered: an Event Hubs event, a line or a file.
type Message struct {
	Position
	Body     []byte    // owned by the receiver of the message; never modified after delivery
	Enqueued time.Time // when the hub accepted it; zero outside a hub
	Tenant   string    // of records that name none, in lower case; empty if nobody has said
}

// Batch is a run of contiguous messages of one partition.
type Batch struct {
	Partition
	// Owner is the id under which this process owns the partition. Positions
	// of an owned partition advance only while the ownership table still names
	// it. Empty for sources that keep no position (files, standard input).
	Owner    string
	Messages []Message
	// Reset says that the partition was made anew (its hub deleted and created
	// again, an embedded hub restarted): sequence numbers from before this
	// batch mean nothing any more, and what is remembered of them is void.
	Reset bool
	// Behind is how many messages the hub held beyond this batch when it was
	// received, or -1 if unknown.
	Behind int64
}

// Source delivers batches until ctx is done, which it reports as nil.
type Source interface {
	// Run calls handle with each batch: serially for one partition,
	// concurrently for several. handle returning nil is the acknowledgement:
	// the batch is decided and its position stored. When handle fails, the
	// source delivers the same messages again after a pause.
	Run(ctx context.Context, handle func(context.Context, Batch) error) error
}
