package sigma

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// keyTable finds the keys of an index's fields. Most texts are no key, and are
// told from all keys by their length and ends; folding them and looking them up
// in a map would cost many times that.
type keyTable struct {
	hashes []uint64 // by hash: whether a key has it
	chains []uint32 // by the hash without its last bits: 1 + the place of its first key; 0: none
	keys   []tableKey
	shift  uint8 // of hashes
}

type tableKey struct {
	text  string // folded
	field int
	next  uint32 // as in chains
	found *filed
}

// chainBits is how many bits of a hash the chains leave out.
const chainBits = 4

// newKeyTable makes room for a number of keys, so that one in 32 texts at most
// has the hash of one.
func newKeyTable(keys int) keyTable {
	size := min(max(10, bits.Len(uint(32*keys))), 24)
	return keyTable{hashes: make([]uint64, 1<<size/64), chains: make([]uint32, 1<<size>>chainBits), shift: uint8(32 - size)}
}

// hash mixes the number of the field, and the length of a folded ASCII text with
// its case-folded ends.
func (k *keyTable) hash(field, n int, first, last byte) uint32 {
	return (uint32(field)*0x85ebca77 ^ (uint32(n)<<16 | uint32(lower[first])<<8 | uint32(lower[last]))) * 0x9e3779b1 >> k.shift
}

func (k *keyTable) add(field int, key string, found *filed) {
	if key == "" {
		return // look is unsure of it
	}
	h := k.hash(field, len(key), key[0], key[len(key)-1])
	k.hashes[h>>6] |= 1 << (h & 63)
	k.keys = append(k.keys, tableKey{key, field, k.chains[h>>chainBits], found})
	k.chains[h>>chainBits] = uint32(len(k.keys))
}

// likely reports whether a key has a hash.
func (k *keyTable) likely(h uint32) bool { return k.hashes[h>>6]>>(h&63)&1 != 0 }

// look returns what is filed under a value of a field. It is unsure of texts
// beyond ASCII, which fold to other lengths, and of numbers that are not plain,
// which have several spellings.
func (k *keyTable) look(field int, v *Value) (found *filed, sure bool) {
	if v.Text == "" || v.Kind == Number && !plainInt(v.Text) {
		return nil, false
	}
	h := k.hash(field, len(v.Text), v.Text[0], v.Text[len(v.Text)-1])
	for place := k.chains[h>>chainBits]; place != 0; {
		key := &k.keys[place-1]
		if key.field == field && len(key.text) == len(v.Text) && foldsTo(v.Text, key.text) {
			return key.found, true
		}
		place = key.next
	}
	return nil, ascii(v.Text)
}

// foldsTo reports whether an ASCII text folds to another of the same length.
func foldsTo(text, folded string) bool {
	for i := range len(text) {
		if lower[text[i]] != folded[i] {
			return false
		}
	}
	return true
}

// isWide reports whether a text beyond ASCII may fold to a key: only the long s and
// the Kelvin sign fold to ASCII letters.
func isWide(key string) bool { return strings.ContainsAny(key, "sk") || !ascii(key) }

// ascii looks at eight bytes at once; the compiler makes one load of word.
func ascii(s string) bool {
	const high = 0x8080808080808080
	if len(s) < 8 {
		for i := range len(s) {
			if s[i] >= utf8.RuneSelf {
				return false
			}
		}
		return true
	}
	for i := 0; i+8 <= len(s); i += 8 {
		if word(s[i:])&high != 0 {
			return false
		}
	}
	return word(s[len(s)-8:])&high == 0
}

func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
