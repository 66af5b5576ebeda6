package detectors

import (
	"net/netip"
	"unsafe"
)

// pad is memory for what is put together of an event and needed no longer than
// the event is.
type pad struct {
	bytes []byte
	texts []string
}

// begin forgets the last event.
func (p *pad) begin() { p.bytes, p.texts = p.bytes[:0], p.texts[:0] }

// list returns a list of one text.
func (p *pad) list(text string) []string {
	p.texts = append(p.texts, text)
	n := len(p.texts)
	return p.texts[n-1 : n : n]
}

// join returns texts as the parts of a key.
func (p *pad) join(texts []string) string {
	if len(texts) == 1 {
		return texts[0]
	}
	from := len(p.bytes)
	for i, text := range texts {
		if i > 0 {
			p.bytes = append(p.bytes, joiner...)
		}
		p.bytes = append(p.bytes, text...)
	}
	return p.since(from)
}

// address returns an address as text.
func (p *pad) address(ip netip.Addr) string {
	from := len(p.bytes)
	p.bytes = ip.AppendTo(p.bytes)
	return p.since(from)
}

// since returns what was appended from a place on, which is never changed.
func (p *pad) since(from int) string {
	return unsafe.String(unsafe.SliceData(p.bytes[from:]), len(p.bytes)-from)
}
