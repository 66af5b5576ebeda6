package fields

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatANamedLocationCovers(t *testing.T) {
	const (
		update   = "Update named location"
		office   = `{"isTrusted":false,"ipRanges":[{"cidrAddress":"203.0.113.0/25"}]}`
		trusted  = `{"isTrusted":"True","ipRanges":[{"cidrAddress":"203.0.113.0/25"}]}`
		larger   = `{"isTrusted":null,"ipRanges":[{"cidrAddress":"198.51.100.0/24"},{"cidrAddress":"203.0.113.0/25"}]}`
		wide     = `{"isTrusted":"True","ipRanges":[{"cidrAddress":"203.0.0.0/16"}]}`
		country  = `{"countriesAndRegions":["DE"],"includeUnknownCountriesAndRegions":false,"countryLookupMethod":"authenticatorAppGps"}`
		unknown  = `{"countriesAndRegions":["DE"],"includeUnknownCountriesAndRegions":true,"countryLookupMethod":"authenticatorAppGps"}`
		address  = `{"countriesAndRegions":["FR","de"],"includeUnknownCountriesAndRegions":false,"countryLookupMethod":"clientIpAddress"}`
		cut      = `{"isTrusted":false,"ipRa`
		restored = "Restore named location"
	)
	for _, c := range []struct {
		field, operation string
		before, now      any
		want             []string
	}{
		{"location.lost", update, office, trusted, []string{"trusted"}},
		{"location.lost", update, trusted, larger, []string{"198.51.100.0/24"}},
		{"location.back", update, trusted, larger, []string{"trusted"}},
		{"location.back", update, larger, office, []string{"198.51.100.0/24"}},
		{"location.lost", update, trusted, wide, []string{"203.0.0.0/16"}},
		{"location.back", update, trusted, wide, nil},
		{"location.lost", update, wide, trusted, nil},
		{"location.back", update, wide, trusted, []string{"203.0.0.0/16"}},
		{"location.lost", update, country, unknown, []string{"unknown countries"}},
		{"location.lost", update, country, address, []string{"FR", "by address"}},
		{"location.back", update, address, country, []string{"FR", "by address"}},
		{"location.lost", update, office, office, nil},
		{"location.back", update, larger, cut, nil},
		{"location.back", update, larger, nil, nil},
		{"location.lost", "Add named location", nil, trusted, []string{"trusted"}},
		{"location.lost", "Add named location", nil, larger, nil}, // no policy can use it yet
		{"location.lost", restored, nil, trusted, []string{"trusted"}},
		{"location.back", "Delete named location", larger, nil, nil},
		{"location.back", "Delete named location", larger, "{}", nil},
	} {
		if diff := cmp.Diff(c.want, changed(t, c.field, c.operation, "NamedLocation", c.before, c.now)); diff != "" {
			t.Errorf("%s of %s from %v to %v (-want +got):\n%s", c.field, c.operation, c.before, c.now, diff)
		}
	}
	if _, err := compute("location.held", nil); err == nil {
		t.Error("location.held is no field")
	}
}
