package eventhub

import (
	"context"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
)

// settle makes the starting points of partitions firm before they are opened.
//
// "Latest" is turned into a stored position: the SDK would otherwise mean the
// end of the partition anew at every reconnect and restart, and skip what came
// between. And a position from an earlier life of the hub (deleted and created
// again, or an embedded hub that was restarted) is dropped: the service would
// refuse it or, worse, skip as many messages as the old hub had.
func (s *session) settle(ctx context.Context, partitions map[string]claim) error {
	if len(partitions) == 0 {
		return nil
	}
	positions, err := s.store.positions(ctx, s.name)
	if err != nil {
		return err
	}
	hub, err := s.hubProperties(ctx)
	if err != nil {
		return err
	}
	for id := range partitions {
		at, stored := positions[id]
		if !stored && !s.start.latest {
			continue
		}
		props, err := s.partitionProperties(ctx, id)
		if err != nil {
			return fmt.Errorf("ask for the end of partition %s: %w", id, err)
		}
		switch {
		case !stored:
			err = s.pin(ctx, id, props)
		case stale(at, hub, props):
			err = s.reset(ctx, at, props)
		default:
			s.state.at(id, at.Sequence, at.enqueued)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stale reports whether the hub that at belongs to is not the one that answers
// now. Sequence numbers only rise in a hub's life, but the end of a partition
// may be reported late: hence the comparison of times.
func stale(at position, hub azeventhubs.EventHubProperties, props azeventhubs.PartitionProperties) bool {
	if !at.enqueued.IsZero() && hub.CreatedOn.After(at.enqueued) {
		return true
	}
	return at.Sequence > props.LastEnqueuedSequenceNumber && (props.IsEmpty || !props.LastEnqueuedOn.Before(at.enqueued))
}

// pin stores the end of a partition as its position, unless it has got one meanwhile.
func (s *session) pin(ctx context.Context, id string, props azeventhubs.PartitionProperties) error {
	enqueued := int64(0)
	if !props.IsEmpty {
		enqueued = props.LastEnqueuedOn.UnixMicro()
	}
	_, err := s.store.db.ExecContext(ctx, `INSERT INTO positions (hub, partition, sequence, hub_offset, enqueued, advanced)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		s.name, id, props.LastEnqueuedSequenceNumber, props.LastEnqueuedOffset, enqueued, s.timing.now().UnixMicro())
	if err != nil {
		return fmt.Errorf("store the start of partition %s: %w", id, err)
	}
	s.state.at(id, props.LastEnqueuedSequenceNumber, time.UnixMicro(enqueued))
	s.log.Info("partition starts at its end, as configured", "partition", id, "sequence", props.LastEnqueuedSequenceNumber)
	return nil
}

// reset drops a position of a hub that is gone. The partition is then read
// from the start of the new one, which loses nothing.
func (s *session) reset(ctx context.Context, at position, props azeventhubs.PartitionProperties) error {
	_, err := s.store.db.ExecContext(ctx, `DELETE FROM positions WHERE hub = $1 AND partition = $2 AND sequence = $3`, s.name, at.ID, at.Sequence)
	if err != nil {
		return fmt.Errorf("drop the position of partition %s: %w", at.ID, err)
	}
	s.state.change(func() { s.state.anew[at.ID] = true })
	s.metrics.resets.WithLabelValues(s.name).Inc()
	s.log.Warn("the hub was created anew, reading the partition from its start",
		"partition", at.ID, "stored", at.Sequence, "last", props.LastEnqueuedSequenceNumber)
	if !s.start.latest {
		return nil
	}
	// Everything in the new hub came after the stored position.
	return s.pin(ctx, at.ID, azeventhubs.PartitionProperties{
		IsEmpty: true, LastEnqueuedSequenceNumber: props.BeginningSequenceNumber - 1, LastEnqueuedOffset: "-1",
	})
}

// hubProperties asks the service for the hub's partitions.
func (s *session) hubProperties(ctx context.Context) (azeventhubs.EventHubProperties, error) {
	return ask(ctx, s, func(ctx context.Context) (azeventhubs.EventHubProperties, error) {
		return s.client.GetEventHubProperties(ctx, nil)
	})
}

// partitionProperties asks the service for the ends of a partition.
func (s *session) partitionProperties(ctx context.Context, id string) (azeventhubs.PartitionProperties, error) {
	return ask(ctx, s, func(ctx context.Context) (azeventhubs.PartitionProperties, error) {
		return s.client.GetPartitionProperties(ctx, id, nil)
	})
}

// ask bounds a question to the service. The SDK waits for the answer of
// GetPartitionProperties without a context; such a call ends with the client.
func ask[T any](ctx context.Context, s *session, question func(context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	ctx, cancel := context.WithTimeout(ctx, s.timing.answer)
	defer cancel()
	got := make(chan answer, 1)
	s.calls.Go(func() {
		v, err := question(ctx)
		got <- answer{v, err}
	})
	select {
	case a := <-got:
		return a.value, a.err
	case <-ctx.Done():
		var zero T
		if ctx.Err() == context.DeadlineExceeded {
			return zero, errNoAnswer(s.timing.answer)
		}
		return zero, ctx.Err()
	}
}
