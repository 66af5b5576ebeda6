package fields

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatConditionsNarrowAndWiden(t *testing.T) {
	const (
		none      = `{"clientAppTypes":null,"platforms":null,"locations":null,"signInRiskLevels":[]}`
		all       = `{"clientAppTypes":["ALL"],"platforms":{"includePlatforms":["all"],"excludePlatforms":[]},"locations":{"includeLocations":"All"}}`
		legacy    = `{"clientAppTypes":["exchangeActiveSync","Other"],"platforms":{"includePlatforms":["android","iOS"],"excludePlatforms":"linux"},"signInRiskLevels":["high","medium"]}`
		oneLegacy = `{"clientAppTypes":"other","platforms":{"includePlatforms":["IOS"],"excludePlatforms":["linux","macOS"]},"signInRiskLevels":"HIGH"}`
		places    = `{"locations":{"includeLocations":["a","b"],"excludeLocations":["AllTrusted"]},"insiderRiskLevels":"minor,elevated"}`
		onePlace  = `{"locations":{"includeLocations":["b"],"excludeLocations":["AllTrusted","c"]},"insiderRiskLevels":"elevated"}`
	)
	for _, c := range []struct {
		field, before, now string
		want               []string
	}{
		{"narrowed.clientAppTypes", all, legacy, []string{"All"}},
		{"narrowed.clientAppTypes", none, legacy, []string{"All"}},
		{"narrowed.clientAppTypes", legacy, oneLegacy, []string{"exchangeActiveSync"}},
		{"narrowed.clientAppTypes", legacy, all, nil},
		{"narrowed.clientAppTypes", legacy, none, nil},
		{"narrowed.clientAppTypes", all, none, nil},
		{"widened.clientAppTypes", all, none, nil},
		{"widened.clientAppTypes", oneLegacy, legacy, []string{"exchangeActiveSync"}},
		{"widened.clientAppTypes", oneLegacy, none, []string{"All", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported"}},
		{"narrowed.includePlatforms", legacy, oneLegacy, []string{"android"}},
		{"widened.includePlatforms", legacy, all, []string{"All", "windows", "windowsPhone", "macOS", "linux"}},
		{"narrowed.excludePlatforms", legacy, oneLegacy, []string{"macOS"}},
		{"narrowed.excludePlatforms", none, legacy, []string{"linux"}},
		{"widened.excludePlatforms", oneLegacy, legacy, []string{"macOS"}},
		{"widened.excludePlatforms", oneLegacy, none, []string{"linux", "macOS"}},
		{"narrowed.signInRiskLevels", legacy, oneLegacy, []string{"medium"}},
		{"narrowed.signInRiskLevels", none, oneLegacy, []string{"All"}},
		{"narrowed.includeLocations", places, onePlace, []string{"some"}},
		{"narrowed.includeLocations", all, places, []string{"All"}},
		{"widened.includeLocations", onePlace, all, []string{"All", "some"}},
		{"widened.includeLocations", onePlace, places, []string{"some"}},
		{"narrowed.excludeLocations", places, onePlace, []string{"c"}},
		{"narrowed.insiderRiskLevels", places, onePlace, []string{"minor"}},
		{"widened.insiderRiskLevels", onePlace, none, []string{"All", "minor", "moderate"}},
		{"narrowed.userRiskLevels", legacy, oneLegacy, nil},
		{"narrowed.excludeLocations", "", places, []string{"AllTrusted"}},
	} {
		if diff := cmp.Diff(c.want, reachOf(t, c.field, c.before, c.now)); diff != "" {
			t.Errorf("%s from %s to %s (-want +got):\n%s", c.field, c.before, c.now, diff)
		}
	}
	if _, err := compute("narrowed.platforms", nil); err == nil {
		t.Error("narrowed.platforms is no field")
	}
}
