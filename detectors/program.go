package detectors

import (
	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// program is what the engine does with one kind of event: one walk over the
// record reads the fields that the index is over; the index names the few
// halves to evaluate, which read further fields as they need them.
type program struct {
	halves    []int // index in set → index in the engine
	set       *sigma.Set
	extractor *document.Extractor
	eager     []int // slot of the rules → slot of the extractor, -1: read when asked for
}

// buildPrograms compiles the halves that read each kind.
func buildPrograms(halves []half, paths []*document.Path) []program {
	programs := make([]program, len(ingest.Kinds()))
	for _, k := range ingest.Kinds() {
		p := &programs[k]
		var matchers []*sigma.Matcher
		for i := range halves {
			if halves[i].reads(k) {
				p.halves = append(p.halves, i)
				matchers = append(matchers, halves[i].match)
			}
		}
		p.set = sigma.NewSet(matchers)
		p.extract(paths)
	}
	return programs
}

// extract prepares the walk for the fields of the index. Computed fields are
// left to be read when asked for.
func (p *program) extract(paths []*document.Path) {
	p.eager = make([]int, len(paths))
	for i := range p.eager {
		p.eager[i] = -1
	}
	var eager []*document.Path
	for _, slot := range p.set.Slots() {
		if paths[slot] != nil {
			p.eager[slot] = len(eager)
			eager = append(eager, paths[slot])
		}
	}
	p.extractor = document.NewExtractor(eager)
}

// noProgram is a program without index and extractor, over n fields.
func noProgram(n int) *program {
	p := &program{set: sigma.NewSet(nil), eager: make([]int, n), extractor: document.NewExtractor(nil)}
	for i := range p.eager {
		p.eager[i] = -1
	}
	return p
}
