package sigma

import (
	"math/bits"
	"unicode/utf8"
)

// keyFilter knows roughly which keys the fields of an index have: folding and
// looking up a text costs many times what most texts need to be told apart from
// all keys.
type keyFilter struct {
	bits  []uint64
	shift uint8 // of hashes
}

// newKeyFilter makes room for a number of keys, of which one in 32 texts at most
// has the hash.
func newKeyFilter(keys int) keyFilter {
	size := max(10, bits.Len(uint(32*keys)))
	return keyFilter{bits: make([]uint64, 1<<size/64), shift: uint8(32 - size)}
}

// hash mixes the number of the field, and the length of a folded ASCII text with
// its case-folded ends.
func (k *keyFilter) hash(field, n int, first, last byte) uint32 {
	return (uint32(field)*0x85ebca77 ^ (uint32(n)<<16 | uint32(lower[first])<<8 | uint32(lower[last]))) * 0x9e3779b1 >> k.shift
}

func (k *keyFilter) add(field int, key string) {
	if key == "" {
		return // has is not asked
	}
	h := k.hash(field, len(key), key[0], key[len(key)-1])
	k.bits[h>>6] |= 1 << (h & 63)
}

// has reports false only if no key of the field is v's. Texts beyond ASCII fold
// to other lengths, and numbers that are not plain have several spellings: they
// are not told.
func (k *keyFilter) has(field int, v *Value) bool {
	if v.Text == "" || v.Kind == Number && !plainInt(v.Text) {
		return true
	}
	h := k.hash(field, len(v.Text), v.Text[0], v.Text[len(v.Text)-1])
	return k.bits[h>>6]>>(h&63)&1 != 0 || !ascii(v.Text)
}

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
