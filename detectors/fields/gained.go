package fields

import (
	"fmt"
	"strings"
	"unicode"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// gained finds the items of the lists at one path that are in none at another:
// domains, address ranges. What records change in a list they often tell as two
// texts, "a.example, b.example", in whatever order and case; in these an item
// holds no blank.
type gained struct{ has, lacks *document.Path }

func newGained(arg string, _ map[string][]string) (computed, error) {
	has, lacks, found := strings.Cut(arg, ",")
	if !found {
		return nil, fmt.Errorf("%q: write PATH,PATH", arg)
	}
	g := &gained{}
	var err error
	if g.has, err = document.Compile(has); err == nil {
		g.lacks, err = document.Compile(lacks)
	}
	return g, err
}

func (g *gained) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	seen := map[string]bool{}
	for text := range texts(ev, g.lacks) {
		for word := range wordsIn(text) {
			seen[word] = true
		}
	}
	for text := range texts(ev, g.has) {
		for word := range wordsIn(text) {
			dst = sayOnce(dst, seen, word)
		}
	}
	return dst
}

func (g *gained) inputs() []*document.Path { return []*document.Path{g.has, g.lacks} }

// wordsIn yields the items of a list that have no blanks, in lower case.
func wordsIn(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for word := range strings.FieldsFuncSeq(strings.ToLower(text), noWord) {
			if !yield(word) {
				return
			}
		}
	}
}

// noWord reports whether a character stands between items, or around all of them.
func noWord(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune(`,;|[]{}"'`, c) }
