package document

import (
	"bytes"
	"iter"
)

// Members yields the members of an object as JSON, such as the Text of an [Object]:
// their names, and their values as they stand there. Of other text it yields none,
// or those before the place where it is no JSON.
func Members(text string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		raw := bytesOf(text)
		i := skipSpace(raw, 0)
		for between := byte('{'); i < len(raw) && raw[i] == between; between = ',' {
			from := skipSpace(raw, i+1) + 1
			if from > len(raw) || raw[from-1] != '"' {
				return
			}
			to := skipString(raw, from)
			if to < 0 || !escapesWell(raw[from:to-1]) {
				return
			}
			name := alias(unescape(nil, raw[from:to-1]))
			if i = skipSpace(raw, to) + 1; i > len(raw) || raw[i-1] != ':' {
				return
			}
			i = skipSpace(raw, i)
			n, err := Skip(raw[i:])
			if err != nil || !yield(name, text[i:i+n]) {
				return
			}
			i = skipSpace(raw, i+n)
		}
	}
}

// escapesWell reports whether the escapes in a string body are those of JSON.
func escapesWell(b []byte) bool {
	for {
		k := bytes.IndexByte(b, '\\')
		if k < 0 {
			return true
		}
		n := escapeLen(b[k:])
		if n == 0 || k+n > len(b) {
			return false
		}
		b = b[k+n:]
	}
}
