package detectors

import (
	"slices"
	"strings"
	"testing"
)

// Acknowledged, a violation stays open and is told of again: where a person ends
// one, the runbook says that it is closed.
func TestRunbooksCloseWhatNothingRestores(t *testing.T) {
	for _, r := range loadCatalog(t).Rules() {
		says := func(word string) bool {
			return slices.ContainsFunc(r.Runbook, func(line string) bool { return strings.Contains(strings.ToLower(line), word) })
		}
		incident := r.correlation != nil || len(r.halves) > 0 && r.halves[0].state == Incident
		switch {
		case !incident && says("acknowledge"):
			t.Errorf("%s: the runbook acknowledges a violation, which leaves it open: close it", r.File)
		case !incident && !r.Restorable && !says("close the violation"):
			t.Errorf("%s: nothing restores it, and no step of the runbook is to close the violation", r.File)
		}
	}
}
