package document

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

// Both ways to mark give the same: a processor takes one of them only.
func TestWideMarksAreTheOthers(t *testing.T) {
	if !wide {
		t.Skip("this processor has no AVX-512 VBMI2")
	}
	r := rand.New(rand.NewPCG(7, 8))
	a, b := new(window), new(window)
	for round := range 3000 {
		text := make([]byte, 64*r.IntN(windowSize/64+1)+1)
		for i := range text {
			if text[i] = 'x'; r.IntN(1+round%40) == 0 {
				text[i] = byte(r.IntN(256))
			}
		}
		first, base := unsafe.SliceData(text), r.Uint32()>>1
		n, m := markBlocks512(first, len(text)/64, &a.at[0], base), markBlocks(first, len(text)/64, &b.at[0], base)
		if diff := cmp.Diff(b.at[:m], a.at[:n]); diff != "" {
			t.Fatalf("%q (-markBlocks +markBlocks512):\n%s", text, diff)
		}
	}
}
