package sigma

import "go.yaml.in/yaml/v4"

// maxSearches bounds the searches of a condition whose truth table is tried.
const maxSearches = 12

// warnConstant reports a condition that holds whatever its searches say, or
// never.
func (p *problems) warnConstant(d *Detection, at *yaml.Node) {
	if len(d.searches) > maxSearches || len(d.conditions) == 0 {
		return
	}
	always, never := true, true
	held := make(map[*search]bool)
	for row := range 1 << len(d.searches) {
		for i, s := range d.searches {
			held[s] = row>>i&1 == 1
		}
		if truth(exprOr(d.conditions), held) {
			never = false
		} else {
			always = false
		}
	}
	switch {
	case never:
		d.never = true
		p.warnf(at, "the condition contradicts itself and can never hold: look for a search that is demanded and excluded")
	case always:
		p.warnf(at, "the condition holds for every event, whatever the searches find")
	}
}

// Contradicts reports that the condition contradicts itself, whatever its
// searches find, so that the detection never holds.
func (d *Detection) Contradicts() bool { return d.never }

// truth evaluates a condition for given results of its searches.
func truth(x expr, held map[*search]bool) bool {
	switch x := x.(type) {
	case exprAnd:
		for _, c := range x {
			if !truth(c, held) {
				return false
			}
		}
		return true
	case exprOr:
		for _, c := range x {
			if truth(c, held) {
				return true
			}
		}
		return false
	case exprNot:
		return !truth(x.x, held)
	case exprRef:
		return held[x.s]
	case exprOf:
		for _, s := range x.refs {
			if held[s] != x.all {
				return !x.all
			}
		}
		return x.all
	}
	return false
}
