package eventhub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"phiwatch/ingest"
)

// session is the life of one client and its Processor. The SDK's Processor
// cannot be restarted: after a failure there is a new session.
type session struct {
	*hub
	client    *azeventhubs.ConsumerClient
	processor *azeventhubs.Processor
	calls     sync.WaitGroup          // questions to the service, which may outlast their asker
	running   sync.WaitGroup          // pumps, dispatch and watch
	nudge     chan struct{}           // a pump has started: ask for the lag now
	stop      context.CancelCauseFunc // ends the session; set by run before it starts anything

	mu     sync.Mutex // guards all below
	pumps  map[string]*pump
	claims map[string]claim // partitions owned, by id
}

// claim is an ownership as this session last wrote it.
type claim struct {
	etag  string
	since time.Time // when it was first had
}

func newSession(h *hub) (*session, error) {
	client, err := h.conf.connect(h.target, h.owner, h.retries)
	if err != nil {
		return nil, err
	}
	s := &session{hub: h, client: client, nudge: make(chan struct{}, 1), pumps: map[string]*pump{}, claims: map[string]claim{}}
	s.processor, err = azeventhubs.NewProcessor(client, tenancy{s}, &azeventhubs.ProcessorOptions{
		// Greedy: all free partitions at once, not one in each interval.
		LoadBalancingStrategy:       azeventhubs.ProcessorStrategyGreedy,
		UpdateInterval:              h.timing.update,
		PartitionExpirationDuration: h.timing.expire,
		StartPositions:              azeventhubs.StartPositions{Default: h.start.position()},
		Prefetch:                    -1, // see window
	})
	return s, err
}

// position is start in the SDK's terms.
func (s start) position() azeventhubs.StartPosition {
	switch {
	case s.latest:
		return azeventhubs.StartPosition{Latest: new(true)}
	case !s.at.IsZero():
		return azeventhubs.StartPosition{EnqueuedTime: &s.at, Inclusive: true}
	}
	return azeventhubs.StartPosition{Earliest: new(true)}
}

// run reads the hub until ctx ends (nil) or the session is no good any more.
// What it started has ended when it returns.
func (s *session) run(ctx context.Context) error {
	defer s.calls.Wait() // ends once the client is closed
	defer s.closeClient()
	props, err := s.hubProperties(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	s.connected()
	s.state.change(func() { s.state.hub.Of = len(props.PartitionIDs) })
	s.log.Info("connected", "partitions", len(props.PartitionIDs), "owner", s.owner)

	read, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s.stop = stop
	own, release := context.WithCancel(context.WithoutCancel(ctx))
	defer release()
	balance := make(chan error, 1)
	go func() { balance <- s.processor.Run(own) }()

	s.running.Go(func() { s.dispatch(read) })
	s.running.Go(func() { stop(s.watch(read, props)) })

	balanced := false
	select {
	case <-read.Done():
		err = context.Cause(read)
	case err = <-balance:
		balanced = true
		err = fmt.Errorf("share partitions: %w", err)
		stop(err)
	}
	s.running.Wait() // batches in hand are decided while the partitions are still owned
	s.released()
	release()
	if !balanced {
		if e := <-balance; e != nil { // not to be expected: it was asked to end
			s.log.Debug("processor ended", "err", e)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// released lets the handler store what it put off.
func (s *session) released() {
	if s.onRelease == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timing.close)
	defer cancel()
	s.onRelease(ctx)
}

func (s *session) closeClient() {
	ctx, cancel := context.WithTimeout(context.Background(), s.timing.close)
	defer cancel()
	if err := s.client.Close(ctx); err != nil {
		s.log.Debug("close client", "err", err)
	}
}

// dispatch starts a pump for each partition that the Processor hands out.
func (s *session) dispatch(ctx context.Context) {
	for {
		client := s.processor.NextPartitionClient(ctx)
		if client == nil {
			return
		}
		s.startPump(ctx, client)
	}
}

func (s *session) startPump(ctx context.Context, client *azeventhubs.ProcessorPartitionClient) {
	ctx, cancel := context.WithCancel(ctx)
	p := &pump{session: s, id: client.PartitionID(), client: client, cancel: cancel, done: make(chan struct{})}
	s.mu.Lock()
	before := s.pumps[p.id]
	s.pumps[p.id] = p
	s.mu.Unlock()
	s.running.Go(func() {
		defer s.endPump(p)
		if before != nil {
			<-before.done // one at a time, in order
		}
		s.state.change(func() { p.reset = s.state.anew[p.id] })
		s.budget.pumps.Add(1)
		defer s.budget.pumps.Add(-1)
		s.publish()
		select {
		case s.nudge <- struct{}{}:
		default:
		}
		s.log.Debug("reading partition", "partition", p.id)
		s.pumpEnded(p, p.run(ctx))
	})
}

// pumpEnded tells why.
func (s *session) pumpEnded(p *pump, err error) {
	switch {
	case errors.Is(err, context.Canceled):
	case errors.Is(err, ingest.ErrFenced), classify(err) == ClassStolen:
		s.metrics.errors.WithLabelValues(s.name, string(ClassStolen)).Inc()
		s.log.Info("partition taken by another consumer", "partition", p.id, "err", err)
	default:
		s.fail(err, "open the partition again", "partition", p.id)
	}
}

func (s *session) endPump(p *pump) {
	p.cancel()
	s.state.change(func() { delete(s.state.parts, p.id) }) // before it can be opened again
	ctx, cancel := context.WithTimeout(context.Background(), s.timing.close)
	defer cancel()
	if err := p.client.Close(ctx); err != nil {
		s.log.Debug("close partition", "partition", p.id, "err", err)
	}
	s.mu.Lock()
	last := s.pumps[p.id] == p
	if last {
		delete(s.pumps, p.id)
	}
	s.mu.Unlock()
	if last && s.observer != nil {
		s.observer.Forget(ingest.Partition{Hub: s.name, ID: p.id})
	}
	close(p.done)
	s.publish()
}

// publish shows which partitions are being read.
func (s *session) publish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id := range s.pumps {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	s.metrics.owned.WithLabelValues(s.name).Set(float64(len(ids)))
	s.state.change(func() {
		s.state.hub.Partitions = ids
		for _, id := range ids {
			s.state.part(id)
		}
	})
}
