package document

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The fast marks are those of the plain code, and those are right.
func TestMarks(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	fast, plain := new(window), new(window)
	for round := range 3000 {
		text := make([]byte, r.IntN(windowSize+1))
		for i := range text {
			switch r.IntN(1 + round%40) {
			case 0:
				text[i] = byte(r.IntN(256))
			case 1:
				text[i] = "\"\\\n\x1f\x00 !#[]\x7f\x80\xa2\xdc"[r.IntN(14)]
			default:
				text[i] = 'x'
			}
		}
		base := r.Uint32() >> 1
		var want []uint32
		for i, c := range text {
			if c == '"' || c == '\\' || c < ' ' {
				want = append(want, base+uint32(i))
			}
		}
		want = append(want, noMark, noMark, noMark)
		fast.fill(text, base)
		if diff := cmp.Diff(want, fast.at[:len(want)]); diff != "" {
			t.Fatalf("fill(%q) (-want +got):\n%s", text, diff)
		}
		if k := plain.fillPlain(text, base, 0); !cmp.Equal(want[:k], plain.at[:k]) || k != len(want)-3 {
			t.Fatalf("fillPlain(%q) gives %d marks: %v", text, k, plain.at[:k])
		}
	}
}

// Strings of every length, so also those that cross the edge of a window, are
// read whole.
func TestStringsOfEveryLengthAndPlace(t *testing.T) {
	var d Document
	text, name := MustCompile("a"), make([]byte, 0, 300)
	for n := range 300 {
		name = append(name[:0], 'n')
		for range n {
			name = append(name, 'x')
		}
		for _, before := range []int{0, 1, 7, 63, 64, windowSize - 150, windowSize - 3, 2*windowSize - 100} {
			doc := make([]byte, 0, 4*windowSize)
			doc = append(doc, `{"p":"`...)
			for range before {
				doc = append(doc, 'p')
			}
			doc = append(append(append(doc, `","`...), name...), `":"v",`...)
			doc = append(append(append(doc, `"a":"\t`...), name...), `\"","b":1}`...)
			must(t, d.Parse(doc))
			if got := d.Text(text); got != "\t"+string(name)+`"` {
				t.Fatalf("n %d, before %d: %q", n, before, got)
			}
			if got := d.Text(MustCompile(string(name))); got != "v" {
				t.Fatalf("n %d, before %d: value of the name %q", n, before, got)
			}
		}
	}
}
