package fields

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// valueBuffers lend memory to read values into.
var valueBuffers = sync.Pool{New: func() any { return new([]document.Value) }}

// values appends the values at a path and reports whether there was one other
// than null.
func values(dst []sigma.Value, ev *ingest.Event, path *document.Path) ([]sigma.Value, bool) {
	from := len(dst)
	dst = Values(ev.Values(path, records(dst)))
	return dst, slices.ContainsFunc(dst[from:], func(v sigma.Value) bool { return v.Kind > sigma.Null })
}

// unchanged reports whether the values at two paths are the same, which they mostly
// are; to know it costs no memory.
func unchanged(ev *ingest.Event, before, now *document.Path) bool {
	if was, ok := ev.Walked(before); ok {
		if is, ok := ev.Walked(now); ok {
			return slices.Equal(was, is)
		}
	}
	a, b := valueBuffers.Get().(*[]document.Value), valueBuffers.Get().(*[]document.Value)
	*a, *b = ev.Values(before, (*a)[:0]), ev.Values(now, (*b)[:0])
	same := slices.Equal(*a, *b)
	clear(*a)
	clear(*b)
	valueBuffers.Put(a)
	valueBuffers.Put(b)
	return same
}

// say appends a text, also without closing full stop, unless it is empty.
func say(dst []sigma.Value, text string) []sigma.Value {
	if plain(text) {
		return append(dst, sigma.Value{Kind: sigma.String, Text: text})
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return dst
	}
	dst = append(dst, sigma.Value{Kind: sigma.String, Text: text})
	if bare := strings.TrimRight(text, " ."); bare != text && bare != "" {
		dst = append(dst, sigma.Value{Kind: sigma.String, Text: bare})
	}
	return dst
}

// plain reports whether say leaves a text as it is.
func plain(text string) bool {
	n := len(text)
	return n > 0 && plainEnd(text[0]) && plainEnd(text[n-1])
}

// plainEnd reports whether a byte is neither blank nor full stop, nor of a rune
// that may be blank.
func plainEnd(b byte) bool { return b > '.' && b < utf8.RuneSelf }

// sayAll appends every text at the paths.
func sayAll(dst []sigma.Value, ev *ingest.Event, list ...*document.Path) []sigma.Value {
	buf := valueBuffers.Get().(*[]document.Value)
	for _, path := range list {
		*buf = ev.Values(path, (*buf)[:0])
		for _, v := range *buf {
			dst = say(dst, v.Text)
		}
		clear(*buf)
	}
	valueBuffers.Put(buf)
	return dst
}

// fold returns the value of a key in any case, or "".
func fold(words map[string]string, key string) string {
	for k, v := range words {
		if strings.EqualFold(k, key) {
			return v
		}
	}
	return ""
}

// sayOutcome appends how it went, in the portal's word.
func sayOutcome(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if ev.Outcome == ingest.OutcomeUnknown {
		return dst
	}
	return say(dst, ev.Outcome.String())
}
