package sigma

import "slices"

// Placeholders returns the names between percent signs in a value, as the
// modifier expand reads it.
func Placeholders(value string) (names []string) {
	for _, c := range splitPlaceholders(value) {
		if c.name != "" {
			names = append(names, c.name)
		}
	}
	return names
}

// Placeholders returns the names of the lists that the detection and its
// filters put in with expand, sorted, each once.
func (d *Detection) Placeholders() []string {
	var names []string
	for _, s := range d.searches {
		for _, g := range s.groups {
			for _, i := range g.items {
				names = append(names, i.placeholders()...)
			}
		}
	}
	for _, f := range d.filters {
		names = append(names, f.Placeholders()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (it *item) placeholders() (names []string) {
	if !it.mods.expand {
		return nil
	}
	for _, v := range it.values {
		names = append(names, Placeholders(v.text)...)
	}
	return names
}
