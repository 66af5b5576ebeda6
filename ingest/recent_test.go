package ingest

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// What is remembered of the last record never changes what is read of the next.
func TestRememberedDayGivesTheSameTimes(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	var r recent
	zones := []string{"", "Z", "+00:00", "+02:00", "-0500", "z", " ", "x", "+00:0"}
	fractions := []string{"", ".1", ".1234567", ".123456789", ".1234567891", ".", ".x"}
	for range 50_000 {
		s := fmt.Sprintf("20%02d-%02d-%02dT%02d:%02d:%02d%s%s", 25+rng.IntN(2), 1+rng.IntN(13), 1+rng.IntN(32), rng.IntN(26), rng.IntN(62), rng.IntN(62),
			fractions[rng.IntN(len(fractions))], zones[rng.IntN(len(zones))])
		if rng.IntN(8) == 0 {
			i := rng.IntN(len(s))
			s = s[:i] + string(" T-:0x"[rng.IntN(6)]) + s[i+1:]
		}
		for range 2 {
			want, wantOK := parseTime(s)
			if got, ok := r.parseTime(s); got != want || ok != wantOK {
				t.Fatalf("%q: got %s, %t; want %s, %t", s, got, ok, want, wantOK)
			}
		}
	}
}

func TestPlainIPv4IsWhatTheOthersAre(t *testing.T) {
	for s, want := range map[string]string{"203.0.113.7": "203.0.113.7", "0.0.0.0": "0.0.0.0", "255.255.255.255": "255.255.255.255",
		"203.0.113.07": "", "203.0.113.256": "", "203.0.113": "", "203.0.113.": "", ".203.0.113": "", "203..0.113": "", "1.2.3.4.5": "", "00.1.2.3": "", "1234.1.1.1": "", "": ""} {
		a, ok := plainIPv4(s)
		if ok != (want != "") || ok && a.String() != want {
			t.Errorf("%q: got %s, %t; want %q", s, a, ok, want)
		}
	}
}

func TestRememberedTenantAndOperation(t *testing.T) {
	d := NewDecoder()
	for _, s := range []string{"0f1a6c30-0000-4000-8000-0000000000AB", "0f1a6c30-0000-4000-8000-0000000000ab", "0F1A6C30-0000-4000-8000-0000000000ab", "other", "Other", ""} {
		for range 2 {
			if got, want := d.recent.lowerTenant(s), string(lower(nil, s)); got != want {
				t.Errorf("tenant %q: %q", s, got)
			}
			if got := d.operation(" " + s + "."); got != string(lower(nil, s)) {
				t.Errorf("operation of %q: %q", s, got)
			}
		}
	}
}
