package ingest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	"phiwatch/ingest/document"
)

// MaxBody bounds a message's body, after decompression.
const MaxBody = 8 << 20

// Decoder splits messages into records and turns each into an Event. It
// belongs to one goroutine and reuses its memory. The zero value is not ready:
// use NewDecoder.
type Decoder struct {
	splitter
	ev    Event
	doc   document.Document
	event func(*Event)
	bad   func(Quarantined)

	zip   *gzip.Reader
	plan  *Plan
	read  document.Fields // what the walk read of the record
	slots []int           // of fields in read; nil before the walk

	recent recent
	folds  map[string]folded // by action; few distinct ones, told over and over
	arena  []byte            // where composed ids are cut from
}

// NewDecoder returns a Decoder.
func NewDecoder() *Decoder {
	d := &Decoder{plan: ownPlan(), folds: make(map[string]folded)}
	d.splitter.to = d
	return d
}

// Decode calls event or bad once for each record of m, in order, and returns
// how many there were. Both callbacks run before Decode returns; the Event is
// theirs until they return. It never fails: what cannot be read is passed to
// bad, and the records beside it are still decoded.
//
// A body is an object with a member "records" (an array), an array, a bare
// record, or several of these one after the other, with or without line breaks
// between them; UTF-8 with or without a byte order mark; plain or gzip. A
// batched message (an array of such objects) is taken apart too. Every element
// that is not itself an array is a record, so a null or a number among the
// records is an Unknown event, and so is a body that is a single scalar: what
// parses as JSON is never quarantined, unless it is over MaxBody or nested
// deeper than document.MaxDepth. A body with no record in it ("[]") gives no
// call and the count 0. Members beside "records" are not part of any record.
//
// A record that does not parse is repaired if its damage is one of those
// listed at Repair, and the event says so.
func (d *Decoder) Decode(m Message, event func(*Event), bad func(Quarantined)) int {
	d.event, d.bad = event, bad
	d.reset(m)
	body, err := d.plain(m.Body)
	switch {
	case errors.Is(err, errTooLarge):
		d.reject(-1, TooLarge, err.Error(), m.Body)
	case err != nil:
		d.reject(-1, BadGzip, err.Error(), m.Body)
	default:
		d.split(body)
	}
	d.event, d.bad = nil, nil
	d.doc.Reset()
	d.ev = Event{}
	return d.index
}

var errTooLarge = errors.New("over 8 MiB")

// plain returns the body decompressed, if it is compressed.
func (d *Decoder) plain(body []byte) ([]byte, error) {
	if !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		if len(body) > MaxBody {
			return nil, errTooLarge
		}
		return body, nil
	}
	var err error
	if d.zip == nil {
		d.zip, err = gzip.NewReader(bytes.NewReader(body))
	} else {
		err = d.zip.Reset(bytes.NewReader(body))
	}
	if err != nil {
		d.zip = nil
		return nil, fmt.Errorf("gzip header: %w", err)
	}
	out := bytes.NewBuffer(make([]byte, 0, min(4*len(body), MaxBody)))
	if _, err = io.Copy(out, io.LimitReader(d.zip, MaxBody+1)); err != nil {
		return nil, fmt.Errorf("gzip after %d bytes: %w", out.Len(), err)
	}
	if out.Len() > MaxBody {
		return nil, errTooLarge
	}
	return out.Bytes(), nil
}

// accept turns the document just parsed into an event.
func (d *Decoder) accept(repaired Repair) {
	d.slots = nil
	d.ev = Event{
		Doc:      &d.doc,
		Position: d.message.Position,
		Index:    d.index,
		Enqueued: d.message.Enqueued,
		Repaired: repaired,
	}
	d.classify(&d.ev)
	if d.ev.Tenant == "" {
		d.ev.Tenant = d.message.Tenant
	}
	if d.ev.Kind == Unknown && d.again(&d.ev) {
		return
	}
	d.index++
	d.event(&d.ev)
}

// again looks at an Unknown record for what the fast path does not look for: a
// message whose "records" is not its first member, which it takes apart, and
// properties in single quotes, which it repairs.
func (d *Decoder) again(e *Event) bool {
	if d.doc.Kind() != document.Object {
		return false
	}
	if e.Action == "" && d.text(pCategory) == "" && d.nesting < maxNesting {
		if array := d.doc.Raw(); d.heldRecords(&array) {
			d.nested(array)
			return true
		}
	}
	if e.Repaired&RepairedQuotes != 0 {
		return false
	}
	if v := d.value(pProperties); v.Kind != document.String || !strings.HasPrefix(v.Text, "{'") {
		return false
	}
	fixed := unquoteProperties(d.doc.Raw())
	if fixed == nil || d.doc.Parse(fixed) != nil {
		return false
	}
	d.accept(e.Repaired | RepairedQuotes)
	return true
}

// heldRecords replaces the record in raw by the array "records" of its root.
func (d *Decoder) heldRecords(raw *[]byte) bool {
	from, to, ok := find(*raw, "records")
	if ok && (*raw)[from] == '[' {
		*raw = (*raw)[from:to]
		return true
	}
	return false
}

// reject quarantines bytes. index is -1 for a whole message.
func (d *Decoder) reject(index int, reason Reason, detail string, b []byte) {
	d.index++
	d.bad(Quarantined{Position: d.message.Position, Index: index, Reason: reason, Detail: detail, Bytes: b})
}

// folded is a text, copied, and what fold makes of it.
type folded struct{ text, op string }

// fold returns an operation as rules compare it: lower case, trimmed, without
// one trailing full stop.
func (d *Decoder) fold(action string) string { return d.folded(action).op }

func (d *Decoder) folded(action string) folded {
	if action == "" {
		return folded{}
	}
	if f, ok := d.folds[action]; ok {
		return f
	}
	f := folded{text: strings.Clone(action)} // not an alias: it outlives the message
	f.op = strings.ToLower(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(f.text), ".")))
	if len(action) > 256 {
		return f
	}
	if len(d.folds) >= 4096 {
		clear(d.folds)
	}
	d.folds[f.text] = f
	return f
}

const arenaSize = 32 << 10

// compose joins parts into an identity, ASCII letters lower-cased. It is empty
// if all parts are.
func (d *Decoder) compose(parts ...string) string {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	if size == 0 {
		return ""
	}
	size += len(parts)
	if cap(d.arena)-len(d.arena) < size {
		d.arena = make([]byte, 0, max(arenaSize, size))
	}
	from := len(d.arena)
	for i, p := range parts {
		if i > 0 {
			d.arena = append(d.arena, '|')
		}
		for j := range len(p) {
			c := p[j]
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			d.arena = append(d.arena, c)
		}
	}
	return text(d.arena[from:])
}
