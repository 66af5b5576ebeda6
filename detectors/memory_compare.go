package detectors

import (
	"maps"
	"slices"
	"strings"

	"phiwatch/detectors/fields"
)

// compare returns the sides that the value now shows weak and strong, after
// those before, the newest of them first.
func (v *remembered) compare(now []string, before [][]string) (weak, strong []string) {
	oldest := before[len(before)-1]
	switch v.weak {
	case "lowered":
		return v.lowered(now, before)
	case "changed":
		return v.changed(members(now), members(oldest))
	}
	all := map[string]bool{}
	for _, texts := range before {
		maps.Copy(all, members(texts))
	}
	set := members(now)
	if v.weak == "grew" {
		return v.sides(without(set, members(oldest))), v.sides(without(all, set))
	}
	for m := range v.whole {
		if set[m] {
			maps.Copy(set, all)
		}
	}
	return v.sides(without(all, set)), v.sides(slices.Sorted(maps.Keys(set)))
}

func (v *remembered) changed(now, was map[string]bool) (weak, strong []string) {
	if len(was) > 0 && len(without(was, now))+len(v.sides(without(now, was))) > 0 && (len(now) == 0 || len(v.sides(slices.Sorted(maps.Keys(now)))) > 0) {
		return []string{v.name}, nil
	}
	return nil, []string{v.name}
}

func (v *remembered) lowered(now []string, before [][]string) (weak, strong []string) {
	n, ok := v.number(now)
	if !ok {
		return nil, nil
	}
	for _, texts := range before {
		if was, ok := v.number(texts); ok && n < was {
			return []string{v.name}, nil
		}
	}
	return nil, []string{v.name}
}

// sides names the members of a set that count.
func (v *remembered) sides(names []string) []string {
	var out []string
	for _, name := range names {
		if (v.only == nil || v.only[name]) && !v.spares(name) {
			out = append(out, v.name+": "+name)
		}
	}
	return out
}

// spares reports whether a member is on the operator list: as it stands, or as
// the host of an address or of a key vault there.
func (v *remembered) spares(name string) bool {
	return slices.ContainsFunc(v.spare, func(s string) bool {
		return strings.EqualFold(s, name) || strings.EqualFold(fields.Host(s), name) || fields.SameVault(s, name)
	})
}

func without(a, b map[string]bool) []string {
	var out []string
	for m := range a {
		if !b[m] {
			out = append(out, m)
		}
	}
	slices.Sort(out)
	return out
}

// number returns the number that a value is, or its place in the order.
func (v *remembered) number(texts []string) (int, bool) {
	text := strings.ToLower(strings.TrimSpace(strings.Join(texts, "")))
	if v.order != nil {
		n, ok := v.order[text]
		return n, ok
	}
	if v.forever != "" && text == v.forever {
		return fields.Days("unlimited")
	}
	return fields.Days(text)
}
