package fields

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// ranges finds the address ranges (CIDR) that stand anywhere in the texts at one
// path and lie in none at another, in whatever layout.
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
	var there []netip.Prefix
	for text := range texts(ev, r.lacks) {
		there = slices.AppendSeq(there, rangesIn(text))
	}
	seen := map[string]bool{}
	for text := range texts(ev, r.has) {
		for p := range rangesIn(text) {
			if !lies(p, there) {
				dst = sayOnce(dst, seen, p.String())
			}
		}
	}
	return dst
}

// lies reports whether a range lies in one of others: what is made narrower adds
// nothing, and what is made wider again takes nothing away.
func lies(p netip.Prefix, in []netip.Prefix) bool {
	return slices.ContainsFunc(in, func(r netip.Prefix) bool { return r.Bits() <= p.Bits() && r.Contains(p.Addr()) })
}

// rangesIn yields the ranges in a text, each in its usual form. JSON may have a
// backslash before the slash.
func rangesIn(text string) iter.Seq[netip.Prefix] {
	return func(yield func(netip.Prefix) bool) {
		for word := range strings.FieldsFuncSeq(strings.ReplaceAll(text, `\/`, "/"), noAddress) {
			if p, err := netip.ParsePrefix(word); err == nil && !yield(p.Masked()) {
				return
			}
		}
	}
}

// noAddress reports whether a character is none of an address's or a range's.
func noAddress(c rune) bool {
	return !strings.ContainsRune("0123456789abcdefABCDEF.:/", c)
}
