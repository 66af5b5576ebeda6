package sigma

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lower maps ASCII letters to lower case and every other byte to itself.
var lower = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t[i] += 'a' - 'A'
		}
	}
	return t
}()

// foldRune returns the representative of r's orbit under simple case folding:
// the lower-case ASCII letter if the orbit has one, else its smallest rune.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		return rune(lower[r])
	}
	m := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		m = min(m, f)
	}
	if m < utf8.RuneSelf {
		return rune(lower[m])
	}
	return m
}

// appendFold appends the folded form of s, keeping bytes that are not UTF-8.
func appendFold(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		if b := s[i]; b < utf8.RuneSelf {
			dst = append(dst, lower[b])
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, s[i])
		} else {
			dst = utf8.AppendRune(dst, foldRune(r))
		}
		i += n
	}
	return dst
}

func fold(s string) string { return string(appendFold(make([]byte, 0, len(s)), s)) }

// literalText is a text that is searched for, with or without regard to case.
type literalText struct {
	text  string // folded unless cased
	raw   string // as the rule has it: so records mostly have it, too
	runes int
	cased bool
}

func newLiteral(s string, cased bool) literalText {
	l := literalText{text: s, raw: s, cased: cased}
	if !cased {
		l.text = fold(s)
	}
	l.runes = utf8.RuneCountInString(l.text)
	return l
}

// is reports whether a text is l.
func (l *literalText) is(text string) bool {
	return text == l.raw || l.at(text, 0) == len(text)
}

// begins reports whether a text begins with l.
func (l *literalText) begins(text string) bool {
	return strings.HasPrefix(text, l.raw) || l.at(text, 0) >= 0
}

// at compares l with text from byte i on and returns where it ends, or -1.
func (l *literalText) at(text string, i int) int {
	if l.cased {
		if strings.HasPrefix(text[i:], l.text) {
			return i + len(l.text)
		}
		return -1
	}
	p := l.text
	for j := 0; j < len(p); {
		if i >= len(text) {
			return -1
		}
		if b := text[i]; b < utf8.RuneSelf {
			if lower[b] != p[j] {
				return -1
			}
			i++
			j++
			continue
		}
		size, n := foldedAt(text[i:], p[j:])
		if size == 0 {
			return -1
		}
		i += size
		j += n
	}
	return i
}

// foldedAt compares one rune beyond ASCII at the start of text with the start of
// the folded p and returns the bytes that each has of it, or 0.
func foldedAt(text, p string) (size, n int) {
	r, size := utf8.DecodeRuneInString(text)
	if r == utf8.RuneError && size == 1 {
		if p[0] != text[0] {
			return 0, 0
		}
		return 1, 1
	}
	var buf [utf8.UTFMax]byte
	n = utf8.EncodeRune(buf[:], foldRune(r))
	if len(p) < n || p[:n] != string(buf[:n]) {
		return 0, 0
	}
	return size, n
}

// index returns the first place of l in text at or after byte from and where it
// ends there, or -1.
func (l *literalText) index(text string, from int) (start, end int) {
	if l.cased || l.text == "" {
		i := strings.Index(text[from:], l.text)
		if i < 0 {
			return -1, -1
		}
		return from + i, from + i + len(l.text)
	}
	c := l.text[0]
	// The long s and the Kelvin sign fold to ASCII letters.
	wide := c >= utf8.RuneSelf || c == 'k' || c == 's'
	for i := from; i < len(text); i++ {
		b := text[i]
		if lower[b] == c || wide && b >= utf8.RuneSelf {
			if end := l.at(text, i); end >= 0 {
				return i, end
			}
		}
	}
	return -1, -1
}

// suffix reports whether text ends with l.
func (l *literalText) suffix(text string) bool {
	i := backRunes(text, l.runes)
	return i >= 0 && l.at(text, i) == len(text)
}

// backRunes returns the index of the n-th rune from the end of text, or -1.
func backRunes(text string, n int) int {
	i := len(text)
	for ; n > 0; n-- {
		if i == 0 {
			return -1
		}
		if text[i-1] < utf8.RuneSelf {
			i--
			continue
		}
		_, size := utf8.DecodeLastRuneInString(text[:i])
		i -= size
	}
	return i
}

// runeLen returns the length of the first rune of a text that is not empty.
func runeLen(text string) int {
	if text[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(text)
	return n
}

// foldedPlace compares two texts of events, neither of them folded before.
func foldedPlace(place, text, other string) bool {
	switch place {
	case "startswith":
		_, ok := foldedPrefix(text, other)
		return ok
	case "endswith":
		i := backRunes(text, utf8.RuneCountInString(other))
		return i >= 0 && foldedEqual(text[i:], other)
	case "contains":
		for i := 0; ; i += runeLen(text[i:]) {
			if _, ok := foldedPrefix(text[i:], other); ok {
				return true
			}
			if i == len(text) {
				return false
			}
		}
	}
	return foldedEqual(text, other)
}

func foldedEqual(a, b string) bool {
	n, ok := foldedPrefix(a, b)
	return ok && n == len(a)
}

// foldedPrefix reports whether text begins with other and how long that is.
func foldedPrefix(text, other string) (int, bool) {
	i := 0
	for _, r := range other {
		if i >= len(text) {
			return 0, false
		}
		t, n := utf8.DecodeRuneInString(text[i:])
		if foldRune(t) != foldRune(r) {
			return 0, false
		}
		i += n
	}
	return i, true
}
