package sigma

import "math/bits"

// barren remembers texts in which no text of an index occurs. Fields say the
// same again and again (a browser's name, a reason), and to compare is cheaper
// than to search. It never allocates: a text takes the place of another.
type barren struct{ entries [1 << barrenBits]barrenText }

// barrenText is a text of a length that pays.
type barrenText struct {
	n    uint8
	text [maxBarren]byte
}

const (
	minBarren = 8
	maxBarren = 191

	barrenBits = 6
)

// barren returns what is known of the texts of s's field number i.
func (sc *Scratch) barren(s *Set, i int) *barren {
	if sc.set != s {
		if sc.known[s] == nil {
			sc.known[s] = make([]*barren, len(s.fields))
		}
		sc.set, sc.barrens = s, sc.known[s]
	}
	if sc.barrens[i] == nil {
		sc.barrens[i] = new(barren)
	}
	return sc.barrens[i]
}

// entry returns the place of a text, by its length, ends and middle, or nil if it is
// not one to remember.
func (b *barren) entry(text string) *barrenText {
	if len(text) < minBarren || len(text) > maxBarren {
		return nil
	}
	const mix = 0x9e3779b97f4a7c15 // its product's first bits depend on all
	h := (word(text)^uint64(len(text)))*mix ^ bits.RotateLeft64(word(text[len(text)/2-4:])*mix, 23) ^ word(text[len(text)-8:])
	return &b.entries[h*mix>>(64-barrenBits)]
}

func (e *barrenText) is(text string) bool {
	return int(e.n) == len(text) && string(e.text[:e.n]) == text
}

func (e *barrenText) set(text string) { e.n = uint8(copy(e.text[:], text)) }
