package localhub

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"phiwatch/ingest/localhub/internal/amqp"
)

// Annotations that the service adds to events.
const (
	annotationSequence = "x-opt-sequence-number"
	annotationOffset   = "x-opt-offset"
	annotationEnqueued = "x-opt-enqueued-time"
	annotationKey      = "x-opt-partition-key"
)

// annotationsRoom is more than the service's annotations take beside the key.
const annotationsRoom = 160

// batchFormat marks a message whose data sections are messages.
const batchFormat = 0x80013700

// event is a message as sent, split where the service adds its annotations.
// Its parts alias the delivery it came in.
type event struct {
	header      []byte   // encoded section or nil
	annotations [][]byte // encoded keys and values in turn, but not the service's
	key         string
	tail        []byte // all sections from properties on, which stay as sent
}

// parseEvent checks that b is a message: known sections in their order, each
// a whole value.
func parseEvent(b []byte) (event, error) {
	if len(b) == 0 {
		return event{}, errors.New("an empty message")
	}
	var ev event
	last := uint64(0)
	for len(b) > 0 {
		section, rest, err := amqp.Split(b)
		if err != nil {
			return event{}, err
		}
		kind, value, err := amqp.Described(section)
		if err != nil {
			return event{}, err
		}
		if kind < max(last, amqp.HeaderSection) || kind > amqp.FooterSection {
			return event{}, fmt.Errorf("section %#x after %#x", kind, last)
		}
		last = kind
		switch kind {
		case amqp.HeaderSection:
			ev.header = section
		case amqp.DeliveryAnnotationsSection: // for the hub, not for its consumers
		case amqp.MessageAnnotationsSection:
			if err := ev.annotate(value); err != nil {
				return event{}, err
			}
		default:
			ev.tail = b
			return ev, checkTail(rest, last)
		}
		b = rest
	}
	return ev, nil
}

func checkTail(b []byte, last uint64) error {
	for len(b) > 0 {
		section, rest, err := amqp.Split(b)
		if err != nil {
			return err
		}
		kind, _, err := amqp.Described(section)
		if err != nil {
			return err
		}
		if kind < last || kind > amqp.FooterSection {
			return fmt.Errorf("section %#x after %#x", kind, last)
		}
		b, last = rest, kind
	}
	return nil
}

// annotate takes the sender's annotations, leaving out what only the service
// may set.
func (ev *event) annotate(value []byte) error {
	return amqp.Entries(value, func(key string, k, v []byte) {
		switch key {
		case annotationSequence, annotationOffset, annotationEnqueued:
		case annotationKey:
			if s, _, err := amqp.Decode(v); err == nil {
				ev.key, _ = s.(string)
			}
		default:
			ev.annotations = append(ev.annotations, k, v)
		}
	})
}

// size bounds the length of the encoded event.
func (ev *event) size() int {
	n := len(ev.header) + len(ev.tail) + len(ev.key) + annotationsRoom
	for _, a := range ev.annotations {
		n += len(a)
	}
	return n
}

// encode appends the event as consumers get it.
func (ev *event) encode(b []byte, m *message) []byte {
	e := amqp.Encoder{Buf: append(b, ev.header...)}
	e.Descriptor(amqp.MessageAnnotationsSection)
	e.Map(func() {
		e.Symbol(annotationSequence)
		e.Long(m.sequence)
		e.Symbol(annotationOffset)
		var digits [20]byte
		e.StringBytes(strconv.AppendInt(digits[:0], m.offset, 10))
		e.Symbol(annotationEnqueued)
		e.Timestamp(time.UnixMilli(m.enqueued))
		if ev.key != "" {
			e.Symbol(annotationKey)
			e.String(ev.key)
		}
		for _, a := range ev.annotations {
			e.Raw(a)
		}
	})
	return append(e.Buf, ev.tail...)
}

// parseDelivery splits what a producer sent into events: one, or the many of
// a batch, which all go to one partition under the batch's key.
func parseDelivery(b []byte, format uint32, events []event) ([]event, error) {
	if format != batchFormat {
		ev, err := parseEvent(b)
		if err != nil {
			return nil, err
		}
		return append(events, ev), nil
	}
	envelope, err := parseEvent(b)
	if err != nil {
		return nil, err
	}
	for rest := envelope.tail; len(rest) > 0; {
		var section []byte
		if section, rest, err = amqp.Split(rest); err != nil {
			return nil, err
		}
		kind, value, err := amqp.Described(section)
		if err != nil {
			return nil, err
		}
		if kind != amqp.DataSection {
			continue
		}
		v, _, err := amqp.Decode(value)
		if err != nil {
			return nil, err
		}
		inner, ok := v.([]byte)
		if !ok {
			return nil, errors.New("a batch holds something other than binary data")
		}
		ev, err := parseEvent(inner)
		if err != nil {
			return nil, fmt.Errorf("event %d of a batch: %w", len(events), err)
		}
		if ev.key == "" {
			ev.key = envelope.key
		}
		events = append(events, ev)
	}
	return events, nil
}
