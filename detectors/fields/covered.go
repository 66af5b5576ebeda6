package fields

import (
	"fmt"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// uncovered are the values of an operator's list that one set of values covers and
// another does not. A set with All in it covers every value.
type uncovered struct {
	list      []string
	by, other *document.Path
}

func newUncovered(arg string, lists map[string][]string) (computed, error) {
	list, paths, err := listAndPath(arg)
	if err != nil {
		return nil, err
	}
	by, other, found := strings.Cut(paths, ",")
	if !found {
		return nil, fmt.Errorf("%q: write LIST.PATH,PATH", arg)
	}
	u := &uncovered{list: lists[list]}
	if u.by, err = document.Compile(by); err == nil {
		u.other, err = document.Compile(other)
	}
	return u, err
}

func (u *uncovered) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if len(u.list) == 0 {
		return dst
	}
	by, other := slices.Collect(texts(ev, u.by)), slices.Collect(texts(ev, u.other))
	for _, v := range u.list {
		if covers(other, v) && !covers(by, v) {
			dst = append(dst, sigma.Value{Kind: sigma.String, Text: v})
		}
	}
	return dst
}

// covers reports whether a set of values has a value, or all.
func covers(set []string, value string) bool {
	return slices.ContainsFunc(set, func(s string) bool {
		s = strings.TrimSpace(s)
		return strings.EqualFold(s, "All") || strings.EqualFold(s, value)
	})
}
