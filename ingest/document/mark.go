package document

import "encoding/binary"

const (
	ones  = 0x0101010101010101
	lows  = 0x7f7f7f7f7f7f7f7f
	highs = 0x8080808080808080
)

// mark returns one bit for each byte of raw, set for quotes, backslashes and
// control characters: the bytes at which plain string text ends. More set bits
// follow, enough to be read eight bytes at a time from any offset in raw and
// from the one after it. The memory of marks is used again.
func mark(raw, marks []byte) []byte {
	n := len(raw) / 8
	if cap(marks) < n+16 || cap(marks) > keepMarks {
		marks = make([]byte, n+16+n/4)
	}
	marks = marks[:n+16]
	done := markMany(raw, marks)
	markWords(raw[done:], marks[done/8:])
	return marks
}

// markWords is mark in plain Go, eight bytes at a time. Bits after raw are set
// to the end of marks.
func markWords(raw, marks []byte) {
	k := 0
	for ; len(raw) >= 8; k++ {
		marks[k] = stops(binary.LittleEndian.Uint64(raw))
		raw = raw[8:]
	}
	var last [8]byte // zero bytes are control characters, so set
	copy(last[:], raw)
	marks[k] = stops(binary.LittleEndian.Uint64(last[:]))
	for k++; k < len(marks); k++ {
		marks[k] = 0xff
	}
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
