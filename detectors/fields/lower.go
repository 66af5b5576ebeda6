package fields

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// LowerASCII returns s with ASCII letters in lower case and all else in its
// place: unlike strings.ToLower, of bytes that are not UTF-8 too.
func LowerASCII(s string) string {
	isUpper := func(c byte) bool { return 'A' <= c && c <= 'Z' }
	for i := range len(s) {
		if !isUpper(s[i]) {
			continue
		}
		b := []byte(s)
		for ; i < len(b); i++ {
			if isUpper(b[i]) {
				b[i] += 'a' - 'A'
			}
		}
		return unsafe.String(unsafe.SliceData(b), len(b))
	}
	return s
}

// Lower is strings.ToLower, faster for ASCII.
func Lower(s string) string {
	if isLower(s) {
		return s
	}
	b := AppendLower(make([]byte, 0, len(s)), s)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// isLower reports whether a text is ASCII without capitals.
func isLower(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// AppendLower appends strings.ToLower(v), eight bytes at once as long as they are ASCII.
func AppendLower(b []byte, v string) []byte {
	const ones = 0x0101010101010101
	from, i := len(b), 0
	b = append(b, v...)
	low := b[from:]
	for len(low) >= 8 && i < len(low) {
		at := min(i, len(low)-8) // the last ones once more
		w := binary.LittleEndian.Uint64(low[at:])
		if w&(ones*0x80) != 0 {
			return append(b[:from], strings.ToLower(v)...)
		}
		upper := (w + ones*(0x80-'A')) &^ (w + ones*(0x7f-'Z')) & (ones * 0x80) // carries reach no other byte
		binary.LittleEndian.PutUint64(low[at:], w|upper>>2)
		i += 8
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
