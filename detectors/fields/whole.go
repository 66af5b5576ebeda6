package fields

import "slices"

// wholes are the values of conditions that are of every sign-in together: the portal
// writes each box that is ticked, and all of them may be.
var wholes = map[string][]string{
	"clientAppTypes":             {"browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other"},
	"userRiskLevels":             riskLevels,
	"signInRiskLevels":           riskLevels,
	"servicePrincipalRiskLevels": riskLevels,
}

// orEvery returns a condition's list, or every in its place if that is what it comes to.
func (c *condition) orEvery(list []string) []string {
	whole := wholes[c.name]
	if len(whole) == 0 || len(list) < len(whole) || slices.ContainsFunc(whole, func(v string) bool { return !listsName(list, v) }) {
		return list
	}
	return []string{every}
}
