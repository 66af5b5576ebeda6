package sigma

import "slices"

// Fields returns the names of the fields that the detection and its filters
// look at, those of fieldref too, sorted, each once.
func (d *Detection) Fields() []string {
	var names []string
	for _, s := range d.searches {
		for _, g := range s.groups {
			for _, i := range g.items {
				if !i.keyword {
					names = append(names, i.field)
				}
				if i.mods.kind == "fieldref" {
					for _, v := range i.values {
						names = append(names, v.text)
					}
				}
			}
		}
	}
	for _, f := range d.filters {
		names = append(names, f.Fields()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// FieldAt returns the line and column of the first item that looks at a field,
// or zeros when none does.
func (d *Detection) FieldAt(field string) (line, column int) {
	for _, s := range d.searches {
		for _, g := range s.groups {
			for _, i := range g.items {
				if !i.keyword && i.field == field || i.mods.kind == "fieldref" && slices.ContainsFunc(i.values, func(v literal) bool { return v.text == field }) {
					return i.at.line, i.at.column
				}
			}
		}
	}
	for _, f := range d.filters {
		if line, column = f.FieldAt(field); line > 0 {
			return line, column
		}
	}
	return 0, 0
}
