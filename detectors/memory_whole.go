package detectors

import (
	"maps"
	"slices"
)

// sidesOfWhole returns the sides of a set with a member that stands for all there are: of
// whatever was ever told, since what was lost long ago is back with it, too.
func (v *remembered) sidesOfWhole(history []Finding) []string {
	all := maps.Clone(v.only)
	if all == nil {
		all = map[string]bool{}
	}
	for i := range history {
		maps.Copy(all, members(history[i].Told[v.name]))
	}
	return v.sides(slices.Sorted(maps.Keys(all)))
}

// isWhole reports whether a value is a set that may shrink and has such a member.
func (v *remembered) isWhole(now []string) bool {
	if v.weak != "shrank" || len(v.whole) == 0 {
		return false
	}
	set := members(now)
	for m := range v.whole {
		if set[m] {
			return true
		}
	}
	return false
}
