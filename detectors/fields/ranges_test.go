package fields

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRangesInAnyText(t *testing.T) {
	for text, want := range map[string][]string{
		`203.0.113.0/24`: {"203.0.113.0/24"},
		`[{"Values":["203.0.113.0/24","198.51.100.128\/25"]}]`: {"203.0.113.0/24", "198.51.100.128/25"},
		`203.0.113.77/24; 2001:DB8::/32`:                       {"203.0.113.0/24", "2001:db8::/32"},
		"203.0.113.0/24\r\n198.51.100.0/24":                    {"203.0.113.0/24", "198.51.100.0/24"},
		`203.0.113.7`:                                          nil,
		`203.0.113.0/33, 1/2, 2026/11/29, /24`:                 nil,
		`https://example.org/a`:                                nil,
		``:                                                     nil,
	} {
		if diff := cmp.Diff(want, slices.Collect(rangesIn(text))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	if _, err := compute("ranges.a", nil); err == nil {
		t.Error("ranges.a is no field")
	}
}
