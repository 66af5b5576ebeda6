package alerting

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of texts that come from events and from destinations, in bytes. They
// are stored for 72 hours and shown to people; the whole record is evidence.
const (
	maxText  = 1000
	maxEvent = 300
)

// clip makes a text fit for a TEXT column and a page: valid UTF-8 without NUL
// (PostgreSQL takes neither, and a finding that cannot be stored would hold up
// its partition for ever) of at most n bytes and an ellipsis.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// identifier is s, or where s does not fit, a digest in its place.
func identifier(s string) string {
	if clip(s, maxEvent) == s {
		return s
	}
	return digest([]byte(s))
}

// InWords is a duration as people write it: 38m, not 38m0s, and 2h, not 2h0m0s.
func InWords(d time.Duration) string { return inWords(d) }

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:16])
}
