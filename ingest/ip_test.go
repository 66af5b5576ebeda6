package ingest

import (
	"net/netip"
	"testing"
)

func TestParseIP(t *testing.T) {
	for s, want := range map[string]string{
		"203.0.113.7":                        "203.0.113.7",
		" 203.0.113.7":                       "203.0.113.7",
		"203.0.113.7:33758":                  "203.0.113.7",
		"[203.0.113.7]":                      "203.0.113.7",
		"[203.0.113.7]:443":                  "203.0.113.7",
		"2001:db8::1":                        "2001:db8::1",
		"[2001:db8::1]":                      "2001:db8::1",
		"[2001:db8::1]:443":                  "2001:db8::1",
		"::ffff:203.0.113.7":                 "203.0.113.7",
		"[::ffff:203.0.113.7]:443":           "203.0.113.7",
		"::203.0.113.7":                      "203.0.113.7",
		"::2001:db8:1:2:3:4:5:6":             "2001:db8:1:2:3:4:5:6",
		"2001:0DB8:0000:0000:0000:0000:0:01": "2001:db8::1",
		"fe80::1%eth0":                       "fe80::1",
		"203.0.113.7, 10.0.0.1":              "203.0.113.7",
		"::1":                                "::1",
		"::":                                 "::",
		"":                                   "",
		"<null>":                             "",
		"null":                               "",
		"localhost:123":                      "",
		"[localhost]:123":                    "",
		"client.example.org":                 "",
		"203.0.113.700":                      "",
		"[203.0.113.7":                       "203.0.113.7",
		"[":                                  "",
		"a:b":                                "",
		"NAM (203.0.113.7)":                  "",
	} {
		var addr netip.Addr
		if want != "" {
			addr = netip.MustParseAddr(want)
		}
		if got := parseIP(s); got != addr {
			t.Errorf("parseIP(%q) = %s, want %q", s, got, want)
		}
	}
}

func FuzzParseIP(f *testing.F) {
	f.Add("[2001:db8::1]:443")
	f.Fuzz(func(t *testing.T, s string) {
		if a := parseIP(s); a.IsValid() && (a.Is4In6() || a.Zone() != "" || parseIP(a.String()) != a) {
			t.Errorf("%q is %s, which is %s", s, a, parseIP(a.String()))
		}
	})
}
