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
// marks found beforehand, sixty-four bytes at a time and without a branch, the
// processor need not wait for one to look for the next.
type window struct {
	marks [windowSize/8 + 8]byte // a bit for each byte
	at    [2 * windowSize]uint32 // their offsets, then noMark three times
}

// noMark stands behind the last offset of a window; it is beyond every text.
const noMark = math.MaxUint32

// fill marks text, at most windowSize bytes long, which begins at offset base.
func (w *window) fill(text []byte, base uint32) {
	words := w.marks[:len(text)/8+8]
	done := markMany(text, words)
	markWords(text[done:], words[done/8:])
	k := 0
	for ; len(text) > 0; text = text[min(64, len(text)):] {
		m := binary.LittleEndian.Uint64(words)
		words = words[8:]
		if len(text) < 64 {
			m &= 1<<len(text) - 1
		}
		w.unpack(k, m, base)
		k += bits.OnesCount64(m)
		base += 64
	}
	w.at[k], w.at[k+1], w.at[k+2] = noMark, noMark, noMark
}

// unpack writes the offset of each bit of m from at[k] on. It writes eight, of
// which the last may be nothing, because a loop that ends after as many as
// there are cannot be predicted.
func (w *window) unpack(k int, m uint64, base uint32) {
	if uint(k) > windowSize {
		return // never: it spares checks
	}
	to := (*[8]uint32)(w.at[k:])
	for i := range to {
		to[i] = base + uint32(bits.TrailingZeros64(m))
		m &= m - 1
	}
	for k += 8; m != 0; k++ {
		w.at[k] = base + uint32(bits.TrailingZeros64(m))
		m &= m - 1
	}
}

const (
	ones  = 0x0101010101010101
	lows  = 0x7f7f7f7f7f7f7f7f
	highs = 0x8080808080808080
)

// markWords sets the marks of text in plain Go, eight bytes at a time. Bits
// behind the last byte are of no meaning.
func markWords(text, marks []byte) {
	k := 0
	for ; len(text) >= 8; k++ {
		marks[k] = stops(binary.LittleEndian.Uint64(text))
		text = text[8:]
	}
	var last [8]byte
	copy(last[:], text)
	marks[k] = stops(binary.LittleEndian.Uint64(last[:]))
}

// stops returns a bit for each byte of x, lowest first: set for ", \ and bytes
// below 0x20. All arithmetic stays inside its byte. Exchanging 0x20 and 0x22
// makes the quote the upper end of the control characters.
func stops(x uint64) byte {
	low := x & lows
	control := low ^ ones*0x02                                         // of what stops, but the backslash: below 0x21
	plain := (control + ones*(0x80-0x21)) & ((low ^ ones*'\\') + lows) // high bit: neither
	return byte((^(plain | x) & highs) * 0x0002040810204081 >> 56)     // gathers the high bits
}
