package fields

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestLower(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	letters := []string{"A", "Z", "@", "[", "a", "z", "`", "{", "0", "\x00", "\x7f", " ", "É", "K", "\xff"}
	for range 20_000 {
		var b strings.Builder
		for range rng.IntN(30) {
			n := len(letters)
			if rng.IntN(2) == 0 {
				n -= 3 // ASCII alone
			}
			b.WriteString(letters[rng.IntN(n)])
		}
		if got, want := Lower(b.String()), strings.ToLower(b.String()); got != want {
			t.Fatalf("Lower(%q) is %q, want %q", b.String(), got, want)
		}
		if got, want := string(AppendLower([]byte("X"), b.String())), "X"+strings.ToLower(b.String()); got != want {
			t.Fatalf("%q: got %q, want %q", b.String(), got, want)
		}
	}
}
