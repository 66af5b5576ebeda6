package eventhub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
)

// givenUp is after how many rounds of questions without an answer the session is given up.
const givenUp = 3

// watch asks the hub now and then for the end of each partition: that is the
// lag, also of idle partitions, and tells whether the hub is there. It returns
// when ctx ends or when the session should.
func (s *session) watch(ctx context.Context, first azeventhubs.EventHubProperties) error {
	for failed := 0; ; {
		err := s.round(ctx, first)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errPartitionsChanged):
			s.log.Info("partitions were added to the hub, building it anew")
			return err
		case err != nil:
			failed++
			s.disconnected()
			s.fail(err, "ask for its state", "round", failed)
			if failed == givenUp {
				return fmt.Errorf("ask the hub: %w", err)
			}
		case !s.diagnose(ctx):
			s.disconnected()
		default:
			failed = 0
			s.connected()
		}
		if !s.rest(ctx) {
			return ctx.Err()
		}
	}
}

// rest waits until the next round is due, or a new partition wants its lag known.
func (s *session) rest(ctx context.Context) bool {
	t := time.NewTimer(jitter(s.timing.poll))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-s.nudge:
	case <-t.C:
	}
	return true
}

// round is one round of questions.
func (s *session) round(ctx context.Context, first azeventhubs.EventHubProperties) error {
	props, err := s.hubProperties(ctx)
	if err != nil {
		return err
	}
	if len(props.PartitionIDs) != len(first.PartitionIDs) {
		return errPartitionsChanged
	}
	for _, id := range s.look().Partitions {
		p, err := s.partitionProperties(ctx, id)
		if err != nil {
			return fmt.Errorf("partition %s: %w", id, err)
		}
		s.state.asked(id, p, s.start, s.timing.now())
	}
	s.observe()
	return nil
}

// observe tells the lags that are known.
func (s *session) observe() {
	if s.observer == nil {
		return
	}
	for _, l := range s.lags() {
		if l.Events >= 0 {
			s.observer.Lag(l.Partition, l.Events, l.Behind)
		}
	}
}

// diagnose finds out why a partition that is owned is not read: the Processor
// keeps the error to itself and tries again for ever. A wrong consumer group
// shows nowhere else. It reports whether every partition can be opened.
func (s *session) diagnose(ctx context.Context) bool {
	well := true
	for id, c := range s.unopened() {
		if s.timing.now().Sub(c.since) < 2*s.timing.update {
			continue
		}
		err := s.tryOpen(ctx, id)
		if err != nil && ctx.Err() == nil && classify(err) != ClassStolen { // stolen: by the Processor, all is well
			s.fail(err, "open a partition", "partition", id)
			well = false
		}
	}
	return well
}

// tryOpen opens the partition where the Processor would, and returns the error.
// It has no owner level, so that it takes the partition from nobody.
func (s *session) tryOpen(ctx context.Context, id string) error {
	options := &azeventhubs.PartitionClientOptions{StartPosition: s.start.position(), Prefetch: -1}
	positions, err := s.store.positions(ctx, s.name)
	if err != nil {
		return err
	}
	if at, ok := positions[id]; ok && at.Offset != "" {
		options.StartPosition = azeventhubs.StartPosition{Offset: &at.Offset}
	}
	client, err := s.client.NewPartitionClient(id, options)
	if err != nil {
		return err
	}
	defer client.Close(ctx) //nolint:errcheck // only a question was asked
	ctx, cancel := context.WithTimeout(ctx, min(time.Second, s.timing.answer))
	defer cancel()
	if _, err = client.ReceiveEvents(ctx, 1, nil); errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}
