package sigma

import "unicode/utf8"

// keyFilter knows roughly which keys there are: folding and looking up a text
// costs many times what most texts need to be told apart from all keys.
type keyFilter [1024 / 64]uint64

// hashKey mixes the length of a folded ASCII text with its case-folded ends.
func hashKey(n int, first, last byte) uint32 {
	return (uint32(n)<<16 | uint32(lower[first])<<8 | uint32(lower[last])) * 0x9e3779b1 >> 22
}

func (k *keyFilter) add(key string) {
	if key == "" {
		return // has is not asked
	}
	h := hashKey(len(key), key[0], key[len(key)-1])
	k[h>>6] |= 1 << (h & 63)
}

// has reports false only if no key is v's. Texts beyond ASCII fold to other
// lengths, and numbers that are not plain have several spellings: they are not
// told.
func (k *keyFilter) has(v *Value) bool {
	if v.Text == "" || v.Kind == Number && !plainInt(v.Text) {
		return true
	}
	h := hashKey(len(v.Text), v.Text[0], v.Text[len(v.Text)-1])
	return k[h>>6]>>(h&63)&1 != 0 || !ascii(v.Text)
}

func ascii(s string) bool {
	for ; len(s) >= 8; s = s[8:] {
		if (s[0]|s[1]|s[2]|s[3]|s[4]|s[5]|s[6]|s[7])&utf8.RuneSelf != 0 {
			return false
		}
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
