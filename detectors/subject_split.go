package detectors

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// splits checks what separates the values of a part.
func (p *keyPart) splits() error {
	switch {
	case p.split == "":
		return nil
	case !p.each:
		return fmt.Errorf("split: %q needs each: true: of several values each makes a subject", p.split)
	case strings.ContainsFunc(p.split, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsSpace(r) }):
		return fmt.Errorf("split: %q: write the characters that separate values, as in ';,'", p.split)
	}
	return nil
}

// one returns the first value that a text has, or "".
func (p *keyPart) one(text string) string {
	for sep, more := p.separator(text), true; more; {
		var v string
		v, text, more = cutAt(text, sep)
		if v = p.cut(v); v != "" {
			return v
		}
	}
	return ""
}

// all appends the values that a text has, and one too many at most.
func (p *keyPart) all(text string, out []string) []string {
	for sep, more := p.separator(text), true; more && len(out) <= maxSubjects; {
		var v string
		v, text, more = cutAt(text, sep)
		if v = p.cut(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// separator returns what separates the values of a text, "" if it is one.
func (p *keyPart) separator(text string) string {
	for i, r := range p.split {
		if sep := p.split[i : i+utf8.RuneLen(r)]; separates(text, sep) >= 0 {
			return sep
		}
	}
	return ""
}

// separates returns where in a text its first value ends, or -1. A comma with a
// blank behind it is of a name, such as "Dorn, Kim".
func separates(text, sep string) int {
	for at := 0; ; at++ {
		i := strings.Index(text[at:], sep)
		if i < 0 {
			return -1
		}
		if at += i; sep != "," || !strings.HasPrefix(text[at+1:], " ") {
			return at
		}
	}
}

func cutAt(text, sep string) (value, rest string, more bool) {
	if sep == "" {
		return text, "", false
	}
	i := separates(text, sep)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(sep):], true
}
