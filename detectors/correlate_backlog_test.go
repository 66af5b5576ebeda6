package detectors

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What comes in order is not late, though a batch after an outage holds days of it:
// a correlation of correlations finds the same in one batch as one by one.
func TestABatchOfDaysInOrderIsNotLate(t *testing.T) {
	days := int(4 * lateness.Minutes())
	events := script("0 Read ann a", "1 Read ann a", "2 Send ann b", fmt.Sprint(days, " Send ann c"),
		fmt.Sprint(days+60, " Read ben a"), fmt.Sprint(days+61, " Read ben a"), fmt.Sprint(days+62, " Send ben b"))
	for name, size := range map[string]int{"one by one": 1, "in twos": 2, "in one batch": len(events)} {
		t.Run(name, func(t *testing.T) {
			e, db := newEngine(t, setOf(t, correlationSet)), openDB(t)
			var got []Finding
			for batch := range slices.Chunk(events, size) {
				got = append(got, applyBatch(t, e, db, true, batch...)...)
			}
			got = slices.DeleteFunc(got, func(f Finding) bool { return f.Rule.Entry != "many-then-send" })
			want := []string{"many-then-send of ann: medium incident", "many-then-send of ben: medium incident"}
			if diff := cmp.Diff(want, ledgerOf(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
