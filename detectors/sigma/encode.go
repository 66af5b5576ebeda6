package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"
)

// maxVariants bounds what one value may expand to.
const maxVariants = 20_000

// placeholder is a name between percent signs.
var placeholder = regexp.MustCompile(`%[A-Za-z0-9_.-]+%`)

// dashes are what windash makes interchangeable.
var dashes = []string{"-", "/", "–", "—", "―"}

// chunk is a piece of a value with placeholders.
type chunk struct {
	text string // as in the rule
	name string // of a placeholder, else ""
}

// splitPlaceholders parts a value; \% is a plain percent sign.
func splitPlaceholders(s string) []chunk {
	var out []chunk
	var text strings.Builder
	for i := 0; i < len(s); {
		if strings.HasPrefix(s[i:], `\%`) {
			text.WriteByte('%')
			i += 2
			continue
		}
		if strings.HasPrefix(s[i:], `\\`) {
			text.WriteString(`\\`)
			i += 2
			continue
		}
		if loc := placeholder.FindStringIndex(s[i:]); loc != nil && loc[0] == 0 {
			out = append(out, chunk{text: text.String()}, chunk{name: s[i+1 : i+loc[1]-1]})
			text.Reset()
			i += loc[1]
			continue
		}
		text.WriteByte(s[i])
		i++
	}
	return append(out, chunk{text: text.String()})
}

func checkPlaceholder(s string) string {
	for _, c := range splitPlaceholders(s) {
		if c.name != "" {
			return ""
		}
	}
	return "expand needs a placeholder such as %name% in its value"
}

// expand replaces the placeholders of a value by every combination of their
// lists. Names that have no list are returned.
func expand(s string, lists map[string][]string, quote func(string) string) (out, unset []string, err error) {
	out = []string{""}
	for _, c := range splitPlaceholders(s) {
		choices := []string{c.text}
		if c.name != "" {
			list, ok := lists[c.name]
			if !ok {
				unset = append(unset, c.name)
			}
			choices = make([]string, len(list))
			for i, v := range list {
				choices[i] = quote(v)
			}
		}
		if len(out)*len(choices) > maxVariants {
			return nil, unset, fmt.Errorf("its placeholders expand to more than %d values: use fewer in one value", maxVariants)
		}
		out = product(out, choices)
	}
	return out, unset, nil
}

func product(heads, tails []string) []string {
	out := make([]string, 0, len(heads)*len(tails))
	for _, h := range heads {
		for _, t := range tails {
			out = append(out, h+t)
		}
	}
	return out
}

// windash returns s with each dash that begins an option (before a word, not
// within one) in every spelling.
func windash(s string) ([]string, error) {
	out := []string{""}
	start := 0
	for i := range len(s) {
		if s[i] != '-' && s[i] != '/' || i+1 == len(s) || !isWord(s[i+1]) || i > 0 && isWord(s[i-1]) {
			continue
		}
		if len(out)*len(dashes) > maxVariants {
			return nil, fmt.Errorf("windash expands to more than %d values: use a shorter text", maxVariants)
		}
		out = product(product(out, []string{s[start:i]}), dashes)
		start = i + 1
	}
	return product(out, []string{s[start:]}), nil
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= lower[c] && lower[c] <= 'z' || c >= 0x80
}

// encode applies an encoding; base64offset yields three variants, the part of
// the encoded text that does not depend on what stands around it.
func encode(s, name string) []string {
	switch name {
	case "base64":
		return []string{base64.StdEncoding.EncodeToString([]byte(s))}
	case "base64offset":
		return base64Offsets(s)
	case "utf16be":
		return []string{utf16Bytes(s, binary.BigEndian)}
	case "utf16":
		return []string{"\xff\xfe" + utf16Bytes(s, binary.LittleEndian)}
	}
	return []string{utf16Bytes(s, binary.LittleEndian)} // utf16le, wide
}

func base64Offsets(s string) []string {
	starts, ends := [3]int{0, 2, 3}, [3]int{0, 3, 2}
	var out []string
	for i := range 3 {
		e := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", i) + s))
		if from, to := starts[i], len(e)-ends[(len(s)+i)%3]; from < to {
			out = append(out, e[from:to])
		}
	}
	return out
}

func utf16Bytes(s string, order binary.AppendByteOrder) string {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return string(out)
}
