package detectors

import (
	"maps"
	"slices"

	"phiwatch/detectors/strict"
)

// Nearest returns the known name that a mistyped one was probably meant to be: in
// another case, or a few letters away; "" if there is none.
func Nearest(word string, known []string) string { return strict.Nearest(word, known) }

// closest is Nearest over names by their lower case.
func closest(word string, known map[string]string) string {
	return Nearest(word, slices.Collect(maps.Values(known)))
}
