package fields

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestItemsOfAList(t *testing.T) {
	for text, want := range map[string][]string{
		"PHI":                       {"PHI"},
		"PHI;Research":              {"PHI", "Research"},
		"PHI,Research":              {"PHI", "Research"},
		" PHI ; Research ; ":        {"PHI", "Research"},
		"PHI, Research":             {"PHI", "Research"},
		`["PHI","Research"]`:        {"PHI", "Research"},
		"[\r\n  \"PHI\"\r\n]":       {"PHI"},
		`["PHI;Research"]`:          {"PHI", "Research"},
		`"PHI","Research"`:          {"PHI", "Research"},
		"Patient data (adults)":     {"Patient data (adults)"},
		"PHI;Rese" + cutMark:        {"PHI", "Rese" + cutMark},
		cutMark:                     {cutMark},
		"[]":                        nil,
		";,":                        nil,
		"":                          nil,
		"Clinic [north], [south] 2": {"Clinic [north]", "[south] 2"},
	} {
		if diff := cmp.Diff(want, slices.Collect(itemsOf(text))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}
