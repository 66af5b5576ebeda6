package alerting

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"phiwatch/detectors"
)

// encodeIdle returns what idle restores say, but for their violations. Each is
// its time (the difference to the one before), severity, revision, event and what people
// are told; a text is a number, and where it is new follows itself.
func encodeIdle(obs []*observation) []byte {
	e := idleEncoder{texts: make(map[string]int)}
	last := int64(0)
	for _, o := range obs {
		e.b = binary.AppendVarint(e.b, o.at-last)
		last = o.at
		e.number(int(o.severity))
		e.number(o.evidence.Revision)
		e.string(o.event)
		f := o.evidence
		for _, s := range []string{f.Evidence.Actor, f.Evidence.ActorIP, f.Evidence.Action} {
			e.text(s)
		}
		for _, names := range [][]string{f.Weak, f.Strong} {
			e.number(len(names))
			for _, s := range names {
				e.text(identifier(s))
			}
		}
	}
	return compress(e.b)
}

type idleEncoder struct {
	b     []byte
	texts map[string]int
}

func (e *idleEncoder) number(n int) { e.b = binary.AppendUvarint(e.b, uint64(n)) }

func (e *idleEncoder) string(s string) {
	e.number(len(s))
	e.b = append(e.b, s...)
}

func (e *idleEncoder) text(s string) {
	if n, ok := e.texts[s]; ok {
		e.number(n)
		return
	}
	n := len(e.texts)
	e.texts[s] = n
	e.number(n)
	e.string(clip(s, maxText))
}

// decodeIdle reads what n idle restores say, and returns those that wanted
// knows the violations of.
func decodeIdle(data []byte, n int, wanted func(i int) (violation string, ok bool)) ([]*observation, error) {
	last := -1
	for i := range n {
		if _, ok := wanted(i); ok {
			last = i
		}
	}
	if last < 0 {
		return nil, nil
	}
	d, err := newIdleDecoder(data)
	if err != nil {
		return nil, err
	}
	var out []*observation
	for i := range last + 1 {
		o, w := d.next()
		violation, ok := wanted(i)
		if d.err != nil {
			return nil, fmt.Errorf("decode idle restore %d: %w", i, d.err)
		}
		if !ok {
			continue
		}
		o.violation = violation
		if o.body, err = json.Marshal(w); err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

type idleDecoder struct {
	b     []byte
	at    int64
	texts []string
	err   error
}

func newIdleDecoder(data []byte) (*idleDecoder, error) {
	b, err := decompress(data)
	return &idleDecoder{b: b}, err
}

func (d *idleDecoder) next() (*observation, *observed) {
	delta, n := binary.Varint(d.b)
	d.skip(n)
	d.at += delta
	o := &observation{state: detectors.Restored, at: d.at, severity: detectors.Severity(d.number())}
	revision := d.number()
	o.event = d.string()
	w := &observed{Actor: d.text(), ActorIP: d.text(), Action: d.text(), Weak: d.list(), Strong: d.list()}
	o.weight = weight(revision, w.Weak, w.Strong)
	return o, w
}

func (d *idleDecoder) skip(n int) {
	if n <= 0 || n > len(d.b) {
		d.b = nil
		d.err = io.ErrUnexpectedEOF
		return
	}
	d.b = d.b[n:]
}

// number is of something that there is no more of than bytes left.
func (d *idleDecoder) number() int {
	v, n := binary.Uvarint(d.b)
	d.skip(n)
	if v > 1<<30 {
		d.err = errors.New("number out of range")
		return 0
	}
	return int(v)
}

func (d *idleDecoder) string() string {
	n := d.number()
	if n > len(d.b) {
		d.err = io.ErrUnexpectedEOF
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *idleDecoder) text() string {
	switch n := d.number(); {
	case n < len(d.texts):
		return d.texts[n]
	case d.err == nil && n > len(d.texts):
		d.err = errors.New("unknown text")
		return ""
	default:
		s := d.string()
		d.texts = append(d.texts, s)
		return s
	}
}

func (d *idleDecoder) list() []string {
	n := d.number()
	if n > len(d.b) {
		d.err = io.ErrUnexpectedEOF
		return nil
	}
	out := make([]string, n)
	for i := range out {
		out[i] = d.text()
	}
	return out
}
