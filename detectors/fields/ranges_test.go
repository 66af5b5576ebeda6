package fields

import (
	"net/netip"
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
		var got []string
		for p := range rangesIn(text) {
			got = append(got, p.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	if _, err := compute("ranges.a", nil); err == nil {
		t.Error("ranges.a is no field")
	}
}

func TestARangeLiesInAnother(t *testing.T) {
	for _, c := range []struct {
		text, in string
		want     bool
	}{
		{"203.0.113.0/28", "198.51.100.0/24 203.0.0.0/16", true},
		{"203.0.113.0/28", "203.0.113.0/28", true},
		{"203.0.0.0/16", "203.0.113.0/28", false},
		{"203.0.113.0/28", "198.51.100.0/24", false},
		{"203.0.113.0/28", "::/0", false},
		{"2001:db8:1::/48", "2001:db8::/32", true},
	} {
		if got := lies(netip.MustParsePrefix(c.text), slices.Collect(rangesIn(c.in))); got != c.want {
			t.Errorf("%s in %s: %t", c.text, c.in, got)
		}
	}
}
