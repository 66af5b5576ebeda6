package sigma

import (
	"slices"
	"unicode/utf8"
)

// automaton finds which of many folded texts occur in a text, in one pass
// (Aho and Corasick, 1975). Bytes that no text has share one column of the
// table, so that a row is as wide as the alphabet of the texts.
type automaton struct {
	class [256]uint8 // by raw byte: ASCII letters of both cases share a class
	width int
	next  []int32   // state*width+class
	out   [][]int32 // by state: texts that end here
	hit   []bool    // by state: out is not empty
	skip  [256]bool // by raw byte: no text begins with it
}

// newAutomaton builds an automaton for texts that are folded, valid UTF-8 and
// not empty.
func newAutomaton(texts []string) *automaton {
	a := &automaton{width: 1}
	for _, t := range texts {
		for i := range len(t) {
			if a.class[t[i]] == 0 {
				a.class[t[i]] = uint8(a.width)
				a.width++
			}
		}
	}
	for c := 'A'; c <= 'Z'; c++ {
		a.class[c] = a.class[lower[c]]
	}
	a.addState()
	for id, t := range texts {
		a.add(t, int32(id))
	}
	a.link()
	return a
}

func (a *automaton) addState() int32 {
	a.next = append(a.next, make([]int32, a.width)...)
	a.out = append(a.out, nil)
	return int32(len(a.out) - 1)
}

func (a *automaton) add(text string, id int32) {
	s := int32(0)
	for i := range len(text) {
		at := int(s)*a.width + int(a.class[text[i]])
		if a.next[at] == 0 {
			n := a.addState()
			a.next[at] = n
		}
		s = a.next[at]
	}
	a.out[s] = append(a.out[s], id)
}

// link turns the trie into a machine without failure links, breadth first.
func (a *automaton) link() {
	fail := make([]int32, len(a.out))
	queue := []int32{0}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for c := range a.width {
			at := int(s)*a.width + c
			n := a.next[at]
			switch {
			case n != 0 && s == 0:
				queue = append(queue, n)
			case n != 0:
				fail[n] = a.next[int(fail[s])*a.width+c]
				a.out[n] = append(a.out[n], a.out[fail[n]]...)
				queue = append(queue, n)
			case s != 0:
				a.next[at] = a.next[int(fail[s])*a.width+c]
			}
		}
	}
	a.hit = make([]bool, len(a.out))
	for s := range a.out {
		slices.Sort(a.out[s])
		a.hit[s] = len(a.out[s]) > 0
	}
	for b := range utf8.RuneSelf {
		a.skip[b] = a.next[a.class[b]] == 0
	}
}

// step moves over one rune beyond ASCII at byte i and returns the state and the
// rune's length. Only the state after the whole rune can be a hit.
func (a *automaton) step(s int32, text string, i int) (int32, int) {
	r, size := utf8.DecodeRuneInString(text[i:])
	if r == utf8.RuneError && size == 1 {
		return a.next[int(s)*a.width+int(a.class[text[i]])], 1
	}
	var buf [utf8.UTFMax]byte
	n := utf8.EncodeRune(buf[:], foldRune(r))
	for _, b := range buf[:n] {
		s = a.next[int(s)*a.width+int(a.class[b])]
	}
	return s, size
}

// scan goes on in state s at byte i until a text has ended or text is over. It
// returns the state, which is a hit or not, and the byte after.
func (a *automaton) scan(s int32, text string, i int) (int32, int) {
	for i < len(text) {
		if s == 0 {
			for i < len(text) && a.skip[text[i]] {
				i++
			}
			if i == len(text) {
				return 0, i
			}
		}
		if b := text[i]; b < utf8.RuneSelf {
			s = a.next[int(s)*a.width+int(a.class[b])]
			i++
		} else {
			var n int
			s, n = a.step(s, text, i)
			i += n
		}
		if a.hit[s] {
			return s, i
		}
	}
	return s, i
}

// contains reports whether any of the texts occurs in text.
func (a *automaton) contains(text string) bool {
	s, _ := a.scan(0, text, 0)
	return a.hit[s]
}
