package fields

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// LowerASCII returns s with ASCII letters in lower case and all else in its
// place: unlike strings.ToLower, of bytes that are not UTF-8 too.
func LowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// AppendLower appends strings.ToLower(v), eight bytes at once as long as they are ASCII.
func AppendLower(b []byte, v string) []byte {
	const ones = 0x0101010101010101
	from, i := len(b), 0
	b = append(b, v...)
	low := b[from:]
	for ; i+8 <= len(low); i += 8 {
		w := binary.LittleEndian.Uint64(low[i:])
		if w&(ones*0x80) != 0 {
			return append(b[:from], strings.ToLower(v)...)
		}
		upper := (w + ones*(0x80-'A')) &^ (w + ones*(0x7f-'Z')) & (ones * 0x80) // carries reach no other byte
		binary.LittleEndian.PutUint64(low[i:], w|upper>>2)
	}
	for ; i < len(low); i++ {
		switch c := low[i]; {
		case c >= utf8.RuneSelf:
			return append(b[:from], strings.ToLower(v)...)
		case 'A' <= c && c <= 'Z':
			low[i] = c + 'a' - 'A'
		}
	}
	return b
}
