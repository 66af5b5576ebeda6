package document

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// windowSize is how much of a text is marked at a time: little enough to stay
// in the first cache, and to lose nothing by when only a part of the data is
// parsed.
const windowSize = 2 << 10

// A window holds the marks of the part of a text that is being parsed: where
// quotes, backslashes and control characters are, the bytes at which plain
// string text ends. Most time in a parser goes into finding the ends of strings
// one after the other, each search beginning where the last one ended. With the
// marks found beforehand, sixty-four bytes at a time and nearly without a
// branch, the processor need not wait for one to look for the next.
type window struct {
	at [2 * windowSize]uint32 // their offsets, then noMark three times; a power of two spares checks
}

// noMark stands behind the last offset of a window; it is beyond every text.
const noMark = math.MaxUint32

// fill marks text, at most windowSize bytes long, which begins at offset base.
func (w *window) fill(text []byte, base uint32) {
	done, k := w.fillFast(text, base)
	k = w.fillPlain(text[done:], base+uint32(done), k)
	w.at[k], w.at[k+1], w.at[k+2] = noMark, noMark, noMark
}

// fillPlain is fill in plain Go, from at[k] on. It returns where the next mark
// belongs.
func (w *window) fillPlain(text []byte, base uint32, k int) int {
	for len(text) > 0 {
		var x uint64
		if len(text) >= 8 {
			x, text = binary.LittleEndian.Uint64(text), text[8:]
		} else {
			last := [8]byte{' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '}
			copy(last[:], text)
			x, text = binary.LittleEndian.Uint64(last[:]), nil
		}
		for m := stops(x); m != 0; m &= m - 1 {
			w.at[k] = base + uint32(bits.TrailingZeros64(m)/8)
			k++
		}
		base += 8
	}
	return k
}

const (
	ones  = 0x0101010101010101
	lows  = 0x7f7f7f7f7f7f7f7f
	highs = 0x8080808080808080
)

// stops sets the high bit of each byte that is ", \ or below 0x20. All
// arithmetic stays inside its byte. Exchanging 0x20 and 0x22 makes the quote
// the upper end of the control characters.
func stops(x uint64) uint64 {
	low := x & lows
	control := low ^ ones*0x02                                         // of what stops, but the backslash: below 0x21
	plain := (control + ones*(0x80-0x21)) & ((low ^ ones*'\\') + lows) // high bit: neither
	return ^(plain | x) & highs
}
