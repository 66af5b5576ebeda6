package eventhub

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"phiwatch/ingest"
)

// pump moves one partition's messages from the SDK to handle, in order, while
// this process owns the partition.
type pump struct {
	*session
	id     string
	client *azeventhubs.ProcessorPartitionClient
	window window
	credit int                // messages the hub may send that were not taken yet
	reset  bool               // the next batch is the first of a hub made anew
	cancel context.CancelFunc // ends run: the partition is lost
	done   chan struct{}      // closed when run has returned and the client is closed
}

// expired is a context that has ended: ReceiveEvents with it returns what is
// there, without waiting.
var expired = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// run receives and decides until ctx ends, the partition is lost or the SDK gives up.
func (p *pump) run(ctx context.Context) error {
	work, stop := p.outlive(ctx)
	defer stop()
	for {
		events, err := p.receive(ctx)
		if err != nil {
			return err
		}
		for len(events) > 0 {
			var batch ingest.Batch
			batch, events = p.batch(events)
			if err := p.decide(ctx, work, batch); err != nil {
				return err
			}
		}
	}
}

// outlive returns a context that ends a while after ctx, so that the batch in
// hand at shutdown is decided rather than done again at the next start.
func (p *pump) outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(p.timing.grace, cancel)
		context.AfterFunc(work, func() { t.Stop() })
	})
	return work, func() { stop(); cancel() }
}

// A batch of fewer than enough waits linger for more: a busy hub then costs a
// few calls and commits for each batch, not for each message.
const (
	enough = 64
	linger = time.Millisecond
)

// receive waits for one event and returns it with all that have arrived.
//
// The first call takes what came while the last batch was decided. The last
// one also renews the credit, so that the hub sends on while this batch is
// decided.
func (p *pump) receive(ctx context.Context) ([]*azeventhubs.ReceivedEventData, error) {
	events, err := p.take(expired, p.ask())
	if err != nil && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(events) == 0 {
		if events, err = p.take(ctx, 1); err != nil {
			return nil, err
		}
	}
	wait := expired
	if len(events) < enough {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, linger)
		defer cancel()
	}
	// An error here comes again at the next call; the events it hides are sent again.
	more, _ := p.take(wait, p.ask())
	events = append(events, more...)
	p.observe(events)
	return events, nil
}

// ask returns how many events to ask for: the window when the credit is half
// used up, else no more than the credit, which spares telling the hub.
func (p *pump) ask() int {
	if n := p.window.messages(p.budget.share()); p.credit < (n+1)/2 {
		return n
	}
	return p.credit
}

// take asks for n events. The SDK tops its credit up to n; credit follows it.
// On a new link the SDK has none, but will have as much after the next call.
func (p *pump) take(ctx context.Context, n int) ([]*azeventhubs.ReceivedEventData, error) {
	events, err := p.client.ReceiveEvents(ctx, n, nil)
	p.credit = max(p.credit, n) - len(events)
	return events, err
}

func (p *pump) observe(events []*azeventhubs.ReceivedEventData) {
	bytes := 0
	for _, e := range events {
		bytes += len(e.Body)
	}
	p.window.observe(len(events), bytes)
	p.metrics.received.WithLabelValues(p.name).Add(float64(len(events)))
	p.metrics.bytes.WithLabelValues(p.name).Add(float64(bytes))
	p.state.received(p.timing.now())
}

// batch makes a batch of the first events and returns the others.
func (p *pump) batch(events []*azeventhubs.ReceivedEventData) (ingest.Batch, []*azeventhubs.ReceivedEventData) {
	b := ingest.Batch{
		Partition: ingest.Partition{Hub: p.name, ID: p.id},
		Owner:     p.owner,
		Reset:     p.reset,
		Messages:  make([]ingest.Message, 0, min(len(events), maxBatch)),
	}
	tenant := strings.ToLower(p.conf.Tenant)
	bytes := 0
	for i, e := range events {
		m := message(b.Partition, e)
		m.Tenant = tenant
		bytes += len(m.Body)
		if i == maxBatch || i > 0 && bytes > maxBatchBytes {
			break
		}
		b.Messages = append(b.Messages, m)
	}
	last := b.Messages[len(b.Messages)-1]
	b.Behind = p.state.behind(p.id, last.Sequence)
	return b, events[len(b.Messages):]
}

func message(p ingest.Partition, e *azeventhubs.ReceivedEventData) ingest.Message {
	m := ingest.Message{
		Position: ingest.Position{Partition: p, Sequence: e.SequenceNumber, Offset: e.Offset},
		Body:     e.Body,
	}
	if e.EnqueuedTime != nil {
		m.Enqueued = *e.EnqueuedTime
	}
	if m.Body == nil && e.RawAMQPMessage != nil {
		m.Body = rawBody(e.RawAMQPMessage.Body)
	}
	return m
}

// rawBody reads the bodies that the SDK does not: several data sections, or a
// value section (some producers send their JSON as an AMQP string).
func rawBody(b azeventhubs.AMQPAnnotatedMessageBody) []byte {
	switch v := b.Value.(type) {
	case string:
		return []byte(v)
	case []byte:
		return v
	case nil:
	default:
		return fmt.Append(nil, v) // not JSON: to be quarantined, not dropped
	}
	var body []byte
	for _, d := range b.Data {
		body = append(body, d...)
	}
	if len(b.Sequence) > 0 {
		body = fmt.Append(body, b.Sequence)
	}
	return body
}

// decide hands the batch to handle until it is decided: the same messages
// again after a pause, from memory. It gives up when ctx ends or when somebody
// else owns the partition.
func (p *pump) decide(ctx, work context.Context, b ingest.Batch) error {
	for pause := p.timing.retryMin; ; pause = min(2*pause, p.timing.retryMax) {
		err := p.handle(work, b)
		if err == nil {
			p.reset = false
			p.state.decided(p.id, b.Messages[len(b.Messages)-1])
			return nil
		}
		if errors.Is(err, ingest.ErrFenced) {
			return err
		}
		if ctx.Err() != nil {
			p.log.Info("stopped with a batch not decided, it will be delivered again", "partition", p.id, "sequence", b.Messages[0].Sequence, "err", err)
			return ctx.Err()
		}
		p.metrics.retries.WithLabelValues(p.name).Inc()
		p.state.stuck(p.id, err)
		p.log.Warn("batch not decided, trying again", "partition", p.id, "messages", len(b.Messages), "sequence", b.Messages[0].Sequence, "pause", pause, "err", err)
		if !sleep(ctx, jitter(pause)) {
			return ctx.Err()
		}
	}
}

// sleep waits for d and reports whether ctx is still going.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// jitter returns between 80 and 120 per cent of d.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
