package detectors

import (
	"encoding/binary"
	"errors"
)

// reader reads feeds. It never reads past the end, and remembers that it would have.
type reader struct {
	b   []byte
	bad bool
}

var errFeed = errors.New("what a match fed is cut short")

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) rest() []byte { return r.b }

func (r *reader) varint() int64 {
	x, n := binary.Varint(r.b)
	if n <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *reader) text() []byte {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.b, r.bad = nil, true
		return nil
	}
	r.b = r.b[size:]
	return r.take(n)
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// block takes what openLength and closeLength enclose.
func (r *reader) block() []byte {
	b := r.take(4)
	if b == nil {
		return nil
	}
	return r.take(uint64(binary.LittleEndian.Uint32(b)))
}

// meta reads the event of a feed.
func (r *reader) meta() feedMeta {
	in := reader{b: r.block()}
	m := feedMeta{at: in.varint()}
	m.seen = m.at - in.varint()
	m.event, m.tenant = string(in.text()), string(in.text())
	m.action, m.actor, m.actorIP = string(in.text()), string(in.text()), string(in.text())
	r.bad = r.bad || in.bad
	return m
}

// moment reads no more of the event of a feed than windows need.
func (r *reader) moment() (at, seen int64, event []byte) {
	in := reader{b: r.block()}
	at = in.varint()
	seen = at - in.varint()
	event = in.text()
	r.bad = r.bad || in.bad
	return at, seen, event
}

// feedEntry is one entry, still as bytes. Parents are further entries.
type feedEntry struct {
	to    uint64
	place uint8
	key   []byte
	value []byte
	body  []byte
	whole []byte
}

func (r *reader) entry() feedEntry {
	start := r.b
	e := feedEntry{to: r.uint64()}
	if p := r.take(1); p != nil {
		e.place = p[0]
	}
	e.key, e.value, e.body = r.text(), r.text(), r.block()
	e.whole = start[:len(start)-len(r.b)]
	return e
}

// head returns the entry up to its body: correlation, place, group and value.
func (e *feedEntry) head() []byte { return e.whole[:len(e.whole)-len(e.body)-4] }

// about reads what a finding says; rest are the entries of the correlations that
// name this one.
func (e *feedEntry) about() (subject, name, rule string, rest reader) {
	r := reader{b: e.body}
	subject, name, rule = string(r.text()), string(r.text()), string(r.text())
	return subject, name, rule, r
}
