package strict

import (
	"fmt"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
)

// Nearest returns the known name that a mistyped one was probably meant to be: in
// another case, or a few letters away; "" if there is none.
func Nearest(word string, known []string) string {
	low := strings.ToLower(word)
	best, found := max(1, min(3, len(low)/4))+1, ""
	for _, name := range slices.Sorted(slices.Values(known)) {
		if d := sigma.Edits(low, strings.ToLower(name), best); d < best {
			best, found = d, name
		}
	}
	return found
}

// suggest names the known key that was probably meant, or all of them.
func suggest(key string, known []string) string {
	if meant := Nearest(key, known); meant != "" {
		return fmt.Sprintf("did you mean %q?", meant)
	}
	return "known here: " + strings.Join(known, ", ")
}
