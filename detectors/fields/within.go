package fields

import (
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// within are the values of an operator's list of Azure resources that lie in the
// scope of what an id names: a lock of a resource group guards each resource in it,
// of which the lock's id says nothing.
type within struct {
	list  []string // case-folded
	paths []*document.Path
}

func newWithin(arg string, lists map[string][]string) (computed, error) {
	list, path, err := listAndPath(arg)
	if err != nil {
		return nil, err
	}
	w := &within{}
	for _, v := range lists[list] {
		if v = strings.TrimRight(strings.ToLower(strings.TrimSpace(v)), "/"); v != "" {
			w.list = append(w.list, v)
		}
	}
	for _, p := range spelled(path) {
		compiled, err := document.Compile(p)
		if err != nil {
			return nil, err
		}
		w.paths = append(w.paths, compiled)
	}
	return w, nil
}

func (w *within) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if len(w.list) == 0 {
		return dst
	}
	for _, path := range w.paths {
		for id := range texts(ev, path) {
			scope := scopeOf(id)
			for _, v := range w.list {
				if rest, in := strings.CutPrefix(v, scope); in && scope != "" && (rest == "" || rest[0] == '/') {
					dst = append(dst, sigma.Value{Kind: sigma.String, Text: v})
				}
			}
		}
	}
	return dst
}

// scopeOf is what a lock, an assignment or another extension is of, in lower case.
func scopeOf(id string) string {
	id = strings.ToLower(id)
	if end := strings.LastIndex(id, "/providers/"); end > 0 {
		id = id[:end]
	}
	return strings.TrimRight(id, "/")
}
