package detectors

import (
	"maps"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
)

// Nearest returns the known name that a mistyped one was probably meant to be: in
// another case, or a few letters away; "" if there is none.
func Nearest(word string, known []string) string {
	byLow := make(map[string]string, len(known))
	for _, name := range known {
		byLow[strings.ToLower(name)] = name
	}
	return closest(strings.ToLower(word), byLow)
}

// closest is Nearest over names by their lower case.
func closest(word string, known map[string]string) string {
	best, found := max(1, min(3, len(word)/4))+1, ""
	for _, low := range slices.Sorted(maps.Keys(known)) {
		if d := sigma.Edits(word, low, best); d < best {
			best, found = d, known[low]
		}
	}
	return found
}
