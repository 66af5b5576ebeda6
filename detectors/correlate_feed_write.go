package detectors

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"phiwatch/detectors/fields"
)

// The bytes of feeds, as reader reads them: texts behind their length, groups, blocks.

// maxKey bounds the text of a group; a longer one stands as its hash.
const maxKey = 1024

// appendGroup appends values, folded, as one text.
func appendGroup(b []byte, tenant string, values []string) []byte {
	n := len(tenant)
	for _, v := range values {
		n += 1 + len(v)
	}
	if n > maxKey {
		return appendTexts(b, tenant, "\x00#", digest([]byte(strings.ToLower(strings.Join(values, "\x00")))))
	}
	before := len(b)
	b = binary.AppendUvarint(b, uint64(n))
	b = append(b, tenant...)
	for _, v := range values {
		from := len(b) + 1
		b = fields.AppendLower(append(b, 0), v)
		if len(b)-from != len(v) { // so is the length that was written
			return appendTexts(b[:before], tenant, "\x00", strings.ToLower(strings.Join(values, "\x00")))
		}
	}
	return b
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

func appendText(b []byte, text string) []byte {
	if len(text) < 1<<7 { // what AppendUvarint would find out
		b = append(b, byte(len(text)))
	} else {
		b = binary.AppendUvarint(b, uint64(len(text)))
	}
	return append(b, text...)
}

// appendTexts appends several as one text.
func appendTexts(b []byte, parts ...string) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	b = binary.AppendUvarint(b, uint64(n))
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// appendKey appends texts as the parts of a key, with the length of all.
func appendKey(b []byte, parts []string) []byte {
	n := len(joiner) * max(0, len(parts)-1)
	for _, p := range parts {
		n += len(p)
	}
	b = binary.AppendUvarint(b, uint64(n))
	for i, p := range parts {
		if i > 0 {
			b = append(b, joiner...)
		}
		b = append(b, p...)
	}
	return b
}

// openLength leaves room for the length of what follows.
func openLength(b []byte) ([]byte, int) { return append(b, 0, 0, 0, 0), len(b) }

func closeLength(b []byte, open int) []byte {
	binary.LittleEndian.PutUint32(b[open:], uint32(len(b)-open-4))
	return b
}
