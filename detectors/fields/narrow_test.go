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
		linux     = `{"platforms":{"excludePlatforms":["linux"]}}`
		high      = `{"signInRiskLevels":["high"]}`
		flows     = `{"authenticationFlows":{"transferMethods":"deviceCodeFlow,authenticationTransfer"}}`
		oneFlow   = `{"authenticationFlows":{"transferMethods":"authenticationTransfer"}}`
		noFlow    = `{"authenticationFlows":{"transferMethods":"none"}}`
		filter    = `{"devices":{"deviceFilter":{"mode":"include","rule":"r"}}}`
		otherMode = `{"devices":{"deviceFilter":{"mode":"exclude","rule":"r"}}}`
		boxes     = `{"clientAppTypes":["browser","mobileAppsAndDesktopClients","ExchangeActiveSync","other"],"signInRiskLevels":["low","medium","high","none"]}`
		threeOf   = `{"clientAppTypes":["browser","mobileAppsAndDesktopClients","exchangeActiveSync"],"signInRiskLevels":["low","medium","high"]}`
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
		{"widened.everything", all, none, nil},
		{"widened.everything", oneLegacy, none, []string{"true"}},
		{"widened.everything", oneLegacy, legacy, nil},
		{"widened.everything", "", all, []string{"true"}},
		{"widened.everything", legacy, "", nil},
		{"widened.clientAppTypes", oneLegacy, legacy, []string{"exchangeActiveSync"}},
		{"widened.clientAppTypes", oneLegacy, none, nil}, // everything
		{"widened.clientAppTypes", oneLegacy, linux, []string{"All", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported"}},
		{"narrowed.includePlatforms", legacy, oneLegacy, []string{"android"}},
		{"widened.includePlatforms", legacy, linux, []string{"All", "windows", "windowsPhone", "macOS", "linux"}},
		{"narrowed.excludePlatforms", legacy, oneLegacy, []string{"macOS"}},
		{"narrowed.excludePlatforms", none, legacy, []string{"linux"}},
		{"widened.excludePlatforms", oneLegacy, legacy, []string{"macOS"}},
		{"widened.excludePlatforms", oneLegacy, high, []string{"linux", "macOS"}},
		{"narrowed.signInRiskLevels", legacy, oneLegacy, []string{"medium"}},
		{"narrowed.signInRiskLevels", none, oneLegacy, []string{"All"}},
		{"narrowed.includeLocations", places, onePlace, []string{"a"}},
		{"narrowed.includeLocations", all, places, []string{"All"}},
		{"widened.includeLocations", onePlace, linux, []string{"All"}},
		{"widened.includeLocations", onePlace, places, []string{"a"}},
		{"narrowed.excludeLocations", places, onePlace, []string{"c"}},
		{"narrowed.insiderRiskLevels", places, onePlace, []string{"minor"}},
		{"widened.insiderRiskLevels", onePlace, linux, []string{"All", "minor", "moderate"}},
		{"widened.signInRiskLevels", high, linux, []string{"All", "none", "low", "medium"}},
		{"narrowed.transferMethods", flows, oneFlow, []string{"deviceCodeFlow"}},
		{"narrowed.transferMethods", noFlow, oneFlow, []string{"All"}},
		{"widened.transferMethods", oneFlow, flows, []string{"deviceCodeFlow"}},
		{"widened.everything", oneFlow, noFlow, []string{"true"}},
		{"narrowed.deviceFilter", none, filter, []string{"include r"}},
		{"narrowed.deviceFilter", filter, otherMode, []string{"exclude r"}},
		{"narrowed.deviceFilter", filter, filter, nil},
		{"widened.deviceFilter", filter, linux, []string{"include r"}},
		{"widened.everything", filter, none, []string{"true"}},
		{"narrowed.userRiskLevels", legacy, oneLegacy, nil},
		{"narrowed.excludeLocations", "", places, []string{"AllTrusted"}},
		{"narrowed.clientAppTypes", all, boxes, nil}, // which are all there are
		{"narrowed.signInRiskLevels", none, boxes, nil},
		{"narrowed.clientAppTypes", boxes, threeOf, []string{"All"}},
		{"narrowed.signInRiskLevels", boxes, threeOf, []string{"All"}},
		{"widened.everything", threeOf, boxes, []string{"true"}},
	} {
		if diff := cmp.Diff(c.want, reachOf(t, c.field, c.before, c.now)); diff != "" {
			t.Errorf("%s from %s to %s (-want +got):\n%s", c.field, c.before, c.now, diff)
		}
	}
	if _, err := compute("narrowed.platforms", nil); err == nil {
		t.Error("narrowed.platforms is no field")
	}
}
