package eventhub

import (
	"context"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
)

// Producer sends messages to one hub. phiwatch itself only reads; the demo and
// rule authors send. Safe for concurrent use.
type Producer struct {
	client *azeventhubs.ProducerClient
}

// NewProducer prepares a producer for the hub of a connection string with an
// EntityPath; it dials at the first Send.
func NewProducer(connectionString string) (*Producer, error) {
	client, err := azeventhubs.NewProducerClientFromConnectionString(connectionString, "", nil)
	if err != nil {
		return nil, fmt.Errorf("producer: %w", err)
	}
	return &Producer{client}, nil
}

// Send sends each body as one message, in as few batches as they fit in; the
// hub chooses the partition of each batch. When it fails, the batches before
// have arrived.
func (p *Producer) Send(ctx context.Context, bodies ...[]byte) error {
	for len(bodies) > 0 {
		batch, err := p.client.NewEventDataBatch(ctx, nil)
		if err != nil {
			return fmt.Errorf("new batch: %w", err)
		}
		n, err := fill(batch, bodies)
		if err != nil {
			return err
		}
		if err := p.client.SendEventDataBatch(ctx, batch, nil); err != nil {
			return fmt.Errorf("send batch of %d messages: %w", n, err)
		}
		bodies = bodies[n:]
	}
	return nil
}

// fill adds bodies to a batch while they fit and returns how many did.
func fill(batch *azeventhubs.EventDataBatch, bodies [][]byte) (int, error) {
	for i, body := range bodies {
		err := batch.AddEventData(&azeventhubs.EventData{Body: body}, nil)
		switch {
		case errors.Is(err, azeventhubs.ErrEventDataTooLarge) && i > 0:
			return i, nil
		case err != nil:
			return i, fmt.Errorf("message of %d bytes: %w", len(body), err)
		}
	}
	return len(bodies), nil
}

// Close says goodbye to the service.
func (p *Producer) Close(ctx context.Context) error { return p.client.Close(ctx) }
