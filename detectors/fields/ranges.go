package fields

import (
	"fmt"
	"net/netip"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// ranges finds the address ranges (CIDR) that stand anywhere in the texts at one
// path and in none at another, in whatever layout.
type ranges struct{ has, lacks *document.Path }

func newRanges(arg string, _ map[string][]string) (computed, error) {
	has, lacks, found := strings.Cut(arg, ",")
	if !found {
		return nil, fmt.Errorf("%q: write PATH,PATH", arg)
	}
	r := &ranges{}
	var err error
	if r.has, err = document.Compile(has); err == nil {
		r.lacks, err = document.Compile(lacks)
	}
	return r, err
}

func (r *ranges) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if unchanged(ev, r.has, r.lacks) {
		return dst
	}
	seen := map[string]bool{}
	for text := range texts(ev, r.lacks) {
		for cidr := range rangesIn(text) {
			seen[cidr] = true
		}
	}
	for text := range texts(ev, r.has) {
		for cidr := range rangesIn(text) {
			dst = sayOnce(dst, seen, cidr)
		}
	}
	return dst
}

// rangesIn yields the ranges in a text, each in its usual form. JSON may have a
// backslash before the slash.
func rangesIn(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for word := range strings.FieldsFuncSeq(strings.ReplaceAll(text, `\/`, "/"), noAddress) {
			if p, err := netip.ParsePrefix(word); err == nil && !yield(p.Masked().String()) {
				return
			}
		}
	}
}

// noAddress reports whether a character is none of an address's or a range's.
func noAddress(c rune) bool {
	return !strings.ContainsRune("0123456789abcdefABCDEF.:/", c)
}
