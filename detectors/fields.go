package detectors

import (
	"errors"
	"fmt"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// fieldTable says how each field that rules name is read: by a path into the
// record, or computed.
type fieldTable struct {
	paths    []*document.Path // by slot; nil for computed fields
	computed []computed       // by slot; nil for paths
}

// computed is a field that no path leads to. append must be pure.
type computed interface {
	append(dst []sigma.Value, ev *ingest.Event) []sigma.Value
}

// compileFields compiles the field names of a set of rules.
func compileFields(fields *sigma.Fields, lists map[string][]string) (*fieldTable, error) {
	names := fields.Names()
	t := &fieldTable{paths: make([]*document.Path, len(names)), computed: make([]computed, len(names))}
	var errs []error
	for i, name := range names {
		var err error
		if t.computed[i], err = compute(name, lists); err == nil && t.computed[i] == nil {
			t.paths[i], err = document.Compile(name)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("field %q: %w", name, err))
		}
	}
	return t, errors.Join(errs...)
}

// walked returns the paths that hold the values of some fields, or from which
// they are computed, field after field.
func (t *fieldTable) walked(slots []int) []*document.Path {
	var out []*document.Path
	for _, slot := range slots {
		switch c := t.computed[slot].(type) {
		case nil:
			out = append(out, t.paths[slot])
		case *paths:
			out = append(out, c.list...)
		default:
			out = append(out, inputsOf(c)...)
		}
	}
	return out
}

// inputsOf returns the paths that a computed field reads of every event, as far
// as it says.
func inputsOf(c computed) []*document.Path {
	if r, ok := c.(interface{ inputs() []*document.Path }); ok {
		return r.inputs()
	}
	return nil
}
