package localhub

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"phiwatch/ingest/localhub/internal/amqp"
)

// Message is an event to publish from within the process.
type Message struct {
	Body         []byte
	ContentType  string
	MessageID    string
	PartitionKey string
	// Properties are application properties: string, bool, int, int32, int64,
	// float64, []byte or time.Time.
	Properties map[string]any
}

// Publish stores events as if a producer had sent them: into the partition
// with the given id, or with an empty one each by its key or in turn.
func (h *Hub) Publish(hub, partition string, msgs ...Message) error {
	e := h.entity(hub)
	if e == nil {
		return fmt.Errorf("localhub: no hub %s", hub)
	}
	if partition != "" && e.partition(partition) == nil {
		return fmt.Errorf("localhub: hub %s has no partition %s", hub, partition)
	}
	events := make([]event, len(msgs))
	for i, m := range msgs {
		tail, err := m.encode()
		if err != nil {
			return fmt.Errorf("localhub: message %d: %w", i, err)
		}
		if len(tail) > h.cfg.MaxMessageBytes {
			return fmt.Errorf("localhub: message %d has %d bytes, at most %d are taken", i, len(tail), h.cfg.MaxMessageBytes)
		}
		events[i] = event{key: m.PartitionKey, tail: tail}
	}
	if partition != "" {
		e.partition(partition).append(events)
		return nil
	}
	for i := range events {
		e.choose(events[i].key).append(events[i : i+1])
	}
	return nil
}

func (m Message) encode() ([]byte, error) {
	e := amqp.Encoder{Buf: make([]byte, 0, len(m.Body)+256)}
	if m.MessageID != "" || m.ContentType != "" {
		e.Composite(amqp.PropertiesSection, func() {
			optional(&e, m.MessageID, e.String)
			for range 5 { // user-id, to, subject, reply-to, correlation-id
				e.Null()
			}
			optional(&e, m.ContentType, e.Symbol)
		})
	}
	var err error
	if len(m.Properties) > 0 {
		e.Descriptor(amqp.ApplicationPropertiesSection)
		e.Map(func() {
			for _, k := range slices.Sorted(maps.Keys(m.Properties)) {
				e.String(k)
				if !property(&e, m.Properties[k]) && err == nil {
					err = fmt.Errorf("property %s of type %T", k, m.Properties[k])
				}
			}
		})
	}
	e.Descriptor(amqp.DataSection)
	e.Binary(m.Body)
	return e.Buf, err
}

func optional(e *amqp.Encoder, s string, put func(string)) {
	if s == "" {
		e.Null()
		return
	}
	put(s)
}

func property(e *amqp.Encoder, v any) bool {
	switch v := v.(type) {
	case string:
		e.String(v)
	case bool:
		e.Bool(v)
	case int:
		e.Long(int64(v))
	case int32:
		e.Int(v)
	case int64:
		e.Long(v)
	case float64:
		e.Double(v)
	case []byte:
		e.Binary(v)
	case time.Time:
		e.Timestamp(v)
	default:
		return false
	}
	return true
}
