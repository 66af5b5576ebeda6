package detectors

import "unsafe"

// keeper copies texts out of events, several into one piece of memory: most
// findings are of restores of what was never weak, and gone with their batch.
type keeper struct{ block []byte }

// keepBlock is what one text that outlives its batch may hold in memory.
const keepBlock = 4 << 10

// text returns the parts as one text of its own.
func (k *keeper) text(parts ...string) string {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	if n == 0 {
		return ""
	}
	b := k.room(n)
	for _, p := range parts {
		b = append(b, p...)
	}
	return k.take(b)
}

// room returns where n bytes can be appended, which take makes a text.
func (k *keeper) room(n int) []byte {
	if cap(k.block)-len(k.block) < n {
		k.block = make([]byte, 0, max(keepBlock, n))
	}
	return k.block[len(k.block):]
}

func (k *keeper) take(b []byte) string {
	k.block = k.block[:len(k.block)+len(b)]
	return unsafe.String(unsafe.SliceData(b), len(b))
}
