package detectors

import (
	"fmt"
	"regexp"

	"phiwatch/detectors/sigma"
)

// noList is how package sigma, which knows no configuration, tells of a
// placeholder that nobody set.
var noList = regexp.MustCompile(`^placeholder %(.+)% has no list and matches nothing: set it$`)

// unset adds to such a warning the key that sets the list, and the list that was
// likely meant. Any other is returned as it is.
func (b *builder) unset(w *sigma.Error) *sigma.Error {
	m := noList.FindStringSubmatch(w.Msg)
	if m == nil {
		return w
	}
	told := *w
	told.Msg = fmt.Sprintf("placeholder %%%s%% has no list and matches nothing: set lists.%s in the configuration", m[1], m[1])
	lists := make([]string, 0, len(b.options.Placeholders))
	for name := range b.options.Placeholders {
		lists = append(lists, name)
	}
	if meant := meantBy(m[1], lists); meant != "" {
		told.Msg += fmt.Sprintf("; did you mean %s?", meant)
	}
	return &told
}

// meantBy returns the name nearest to a mistyped one, or "".
func meantBy(word string, names []string) string {
	known := make(map[string]string, len(names))
	for _, name := range names {
		known[name] = name
	}
	return closest(word, known)
}
