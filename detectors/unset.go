package detectors

import (
	"errors"
	"fmt"
	"slices"

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
	told.Msg = fmt.Sprintf("placeholder %%%s%% has no list and matches nothing: set lists.%s in the configuration%s", w.Unset, w.Unset, b.perhaps(w.Unset))
	return &told
}

// warnUnset warns of lists that a rule reads otherwise than by a placeholder, in
// computed fields and keys of its safeguard, and that nobody set.
func (b *builder) warnUnset(sr *sigma.Rule, lists []string) {
	for _, list := range lists {
		if _, set := b.options.Placeholders[list]; set || slices.ContainsFunc(b.warnings, warns(list)) {
			continue
		}
		b.warnings = append(b.warnings, &sigma.Error{File: sr.File, Line: sr.Line, Column: 1, Unset: list,
			Msg: fmt.Sprintf("the rule reads list %s, which is not set: set lists.%s in the configuration%s", list, list, b.perhaps(list))})
	}
}

// warns tells warnings of a list.
func warns(list string) func(error) bool {
	return func(err error) bool {
		var w *sigma.Error
		return errors.As(err, &w) && w.Unset == list
	}
}

// perhaps names the list that was likely meant.
func (b *builder) perhaps(unset string) string {
	lists := make([]string, 0, len(b.options.Placeholders))
	for name := range b.options.Placeholders {
		lists = append(lists, name)
	}
	if meant := strict.Nearest(unset, lists); meant != "" {
		return fmt.Sprintf("; did you mean %s?", meant)
	}
	return ""
}
