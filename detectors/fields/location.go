package fields

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// location compares what a named location covers before and after a change:
//
//	location.lost   what it is or covers now and did not: "trusted", address ranges, countries,
//	                "unknown countries", "by address" if a country is read from the address, and
//	                no longer from where the telephone is
//	location.back   what it no longer is or covers
//
// An address range counts as covered that lies in another.
// Of a location that is made only that it is trusted counts: no policy can use it yet.
// A location that is deleted covers nothing at all, whatever its record repeats.
type location struct{ back bool }

// ofAny makes the sides of a member at a path, in a property of whatever name.
func ofAny(path string) policySides {
	return policySides{document.MustCompile("modified.*.old." + path), document.MustCompile("modified.*.new." + path)}
}

var (
	locationTrusted   = ofAny("isTrusted")
	locationRanges    = ofAny("ipRanges.cidrAddress")
	locationCountries = ofAny("countriesAndRegions")
	locationUnknown   = ofAny("includeUnknownCountriesAndRegions")
	locationLookup    = ofAny("countryLookupMethod")

	anythingNow    = document.MustCompile("modified.*.new")
	anythingBefore = document.MustCompile("modified.*.old")
)

func newLocation(arg string, _ map[string][]string) (computed, error) {
	if arg != "lost" && arg != "back" {
		return nil, fmt.Errorf("%q: write location.lost or location.back", arg)
	}
	return &location{arg == "back"}, nil
}

func (c *location) inputs() []*document.Path {
	out := []*document.Path{anythingNow}
	for _, p := range []policySides{locationTrusted, locationRanges, locationCountries, locationUnknown, locationLookup} {
		out = append(out, p.before, p.now)
	}
	return out
}

func (c *location) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if deletes(ev) || !isObject(ev, anythingNow) {
		return dst // or not told, or cut
	}
	has, lack := locationOf(ev, true), locationOf(ev, false)
	if c.back {
		has, lack = lack, has
	}
	made := !strings.HasPrefix(ev.Op, "update")
	for _, v := range has {
		if !slices.ContainsFunc(lack, func(l string) bool { return strings.EqualFold(l, v) || liesIn(v, l) }) && (!made || v == "trusted") {
			dst = append(dst, sigma.Value{Kind: sigma.String, Text: v})
		}
	}
	return dst
}

// liesIn reports whether both texts are address ranges, and one lies in the other.
func liesIn(text, other string) bool {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return false
	}
	r, err := netip.ParsePrefix(other)
	return err == nil && lies(p, []netip.Prefix{r})
}

func locationOf(ev *ingest.Event, now bool) (out []string) {
	if on(ev, locationTrusted, now) {
		out = append(out, "trusted")
	}
	for v := range texts(ev, locationRanges.of(now)) {
		out = append(out, strings.TrimSpace(v))
	}
	countries := 0
	for v := range texts(ev, locationCountries.of(now)) {
		out = append(out, strings.TrimSpace(v))
		countries++
	}
	if on(ev, locationUnknown, now) {
		out = append(out, "unknown countries")
	}
	if countries > 0 && locationLookup.text(ev, now) != "authenticatorappgps" {
		out = append(out, "by address")
	}
	return out
}
