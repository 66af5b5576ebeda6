package document

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// unescape appends the text of the sound JSON string body b to dst. A lone
// surrogate becomes U+FFFD, invalid UTF-8 is kept.
func unescape(dst, b []byte) []byte {
	for {
		k := bytes.IndexByte(b, '\\')
		if k < 0 || k+1 >= len(b) {
			return append(dst, b...)
		}
		dst = append(dst, b[:k]...)
		c := b[k+1]
		b = b[k+2:]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			var r rune
			r, b = unescapeRune(b)
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
	}
}

// unescapeRune reads the four digits of a \u escape at the start of b, and
// the escape of the second half when they are the first half of a pair.
func unescapeRune(b []byte) (rune, []byte) {
	r := hex4(b)
	b = b[4:]
	if utf16.IsSurrogate(r) {
		if len(b) >= 6 && b[0] == '\\' && b[1] == 'u' {
			if pair := utf16.DecodeRune(r, hex4(b[2:])); pair != utf8.RuneError {
				return pair, b[6:]
			}
		}
		r = utf8.RuneError
	}
	return r, b
}

func hex4(b []byte) rune {
	return hexDigit(b[0])<<12 | hexDigit(b[1])<<8 | hexDigit(b[2])<<4 | hexDigit(b[3])
}

// foldEqual reports whether a and b are equal, ASCII case aside.
func foldEqual(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if x, y := a[i], b[i]; x != y && (x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return false
		}
	}
	return true
}

// lower returns s with ASCII letters in lower case.
func lower(s string) string {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] |= 0x20
				}
			}
			return string(b)
		}
	}
	return s
}
