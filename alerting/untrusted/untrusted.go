// Package untrusted makes text from audit events fit to be shown. Display
// names, user agents and subjects are chosen by whoever caused the event, who
// may be the attacker: they can hold line breaks that forge a second line,
// terminal escapes, direction overrides that turn a name around, and any length.
package untrusted

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Ellipsis ends a text that was cut.
const Ellipsis = "…"

// Line returns s as one line of at most max characters: runs of white space
// become one space, control, format and other invisible characters (C0, C1,
// bidirectional overrides, zero-width and tag characters, line separators),
// private-use characters and invalid UTF-8 become U+FFFD. A cut text ends in
// "…". It does not escape: markup is the business of each destination.
func Line(s string, max int) string {
	if max <= 0 {
		return ""
	}
	var b strings.Builder
	n, space := 0, false
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		if isSpace(r) {
			space = n > 0
			continue
		}
		if !Visible(r) {
			r = utf8.RuneError
		}
		need := 1
		if space {
			need = 2
		}
		if n+need > max || n+need == max && rest(s[i:]) {
			b.WriteString(Ellipsis)
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
		n += need
	}
	return b.String()
}

// Visible reports whether r takes part in what a person sees, and cannot
// change how its neighbours are shown.
func Visible(r rune) bool { return r == ' ' || unicode.IsGraphic(r) && !blank(r) }

// blank are graphic by category and yet drawn as nothing.
func blank(r rune) bool {
	switch r {
	case '\u115F', '\u1160', '\u3164', '\uFFA0', '\u2800', '\u034F':
		return true
	}
	return unicode.Is(unicode.Variation_Selector, r)
}

func isSpace(r rune) bool { return unicode.IsSpace(r) || r == '\u2028' || r == '\u2029' }

// rest reports whether anything but white space is left, so that a text which
// fits exactly is not marked as cut.
func rest(s string) bool { return strings.ContainsFunc(s, func(r rune) bool { return !isSpace(r) }) }
