package detectors

import (
	"fmt"

	"phiwatch/detectors/sigma"
	"phiwatch/detectors/strict"
)

// unset adds to a warning of a placeholder that nobody set, of which package sigma
// knows no configuration, the key that sets the list and the list that was likely
// meant. Any other warning is returned as it is.
func (b *builder) unset(w *sigma.Error) *sigma.Error {
	if w.Unset == "" {
		return w
	}
	told := *w
	told.Msg = fmt.Sprintf("placeholder %%%s%% has no list and matches nothing: set lists.%s in the configuration", w.Unset, w.Unset)
	lists := make([]string, 0, len(b.options.Placeholders))
	for name := range b.options.Placeholders {
		lists = append(lists, name)
	}
	if meant := strict.Nearest(w.Unset, lists); meant != "" {
		told.Msg += fmt.Sprintf("; did you mean %s?", meant)
	}
	return &told
}
