package detectors

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"phiwatch/ingest"
)

// Rule is one compiled rule: what weakens a safeguard and what restores it.
type Rule struct {
	Meta
	File     string
	at       position // of its name, for errors
	subject  subject
	name     subject
	severity []level
	unknown  []level   // of a weak value while the subject is not known to have been strong: the first that holds; none: full
	known    *known    // what makes a subject known to have been strong; nil: what restores
	sides    sides     // of the safeguard; nil: events name none
	alias    *alias    // other names of a subject; nil: none
	memory   *memory   // values that are compared with what they were; nil: none
	regained *regained // what a restore must give back; nil: nothing in particular
	halves   []half    // what weakens, then what restores if anything does, then what only tells
	never    neverReason
	trusted  trusted // operators whose doing is less severe

	correlation *correlation // instead of halves
	lists       []string     // operator lists that it reads
	disabledBy  string       // the selector of a pack that switched it off
}

// In returns the rule's file name in src, and whether it comes from there.
func (r *Rule) In(src Source) (string, bool) {
	if src.Name == "" {
		_, err := fs.Stat(src.FS, r.File)
		return r.File, err == nil
	}
	return strings.CutPrefix(r.File, path.Clean(src.Name)+"/")
}

// weakens returns the half of the rule's own detection; nil for a correlation.
func (r *Rule) weakens() *half {
	if len(r.halves) == 0 {
		return nil
	}
	return &r.halves[0]
}

// restores returns the half of what restores; nil: nothing does.
func (r *Rule) restores() *half {
	if len(r.halves) < 2 || r.halves[1].state != Restored {
		return nil
	}
	return &r.halves[1]
}

// allHalves returns the halves that look at events for the rule: its own, or of
// the rules that feed its correlation.
func (r *Rule) allHalves() []*half {
	var out []*half
	for i := range r.halves {
		out = append(out, &r.halves[i])
	}
	if r.correlation != nil {
		for _, f := range r.correlation.feeders {
			out = append(out, f.from)
		}
	}
	return out
}

// reads reports whether any half of the rule reads events of a kind.
func (r *Rule) reads(k ingest.Kind) bool {
	return slices.ContainsFunc(r.halves, func(h half) bool { return h.reads(k) })
}
