package blindness

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phiwatch/detectors"
	"phiwatch/detectors/rules"
)

func TestRulesTellWhatToDo(t *testing.T) {
	for _, m := range Rules() {
		if m.Title == "" || m.Description == "" || len(m.Runbook) == 0 || m.Safeguard() != "AUDIT" || len(m.HIPAA) == 0 {
			t.Errorf("%s is not complete", m.Entry)
		}
	}
}

// TestPacksThatDisableWhatTheWatchGoesByAreWarnedOf disables each rule of the
// catalog that Note listens to, which it knows by its entry.
func TestPacksThatDisableWhatTheWatchGoesByAreWarnedOf(t *testing.T) {
	set, err := detectors.Load(nil, detectors.Source{FS: rules.FS})
	if err != nil {
		t.Fatal(err)
	}
	p := detectors.Pack{}
	for _, entry := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(settings, streamSwitches)))) {
		p.Disable = append(p.Disable, "entry:"+entry)
	}
	if err := set.Tune(p, Rules()...); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range set.Warnings {
		if said, _, ok := strings.Cut(w.Error(), ", too,"); ok {
			got = append(got, said)
		}
	}
	want := []string{
		`diag-off-and-silent goes by "azure-diag-deleted"`, `diag-off-and-silent goes by "azure-diag-weakened"`, `diag-off-and-silent goes by "entra-diag-deleted"`,
		`evidence-gap goes by "azure-diag-deleted"`, `evidence-gap goes by "entra-diag-deleted"`, `evidence-gap goes by "ual-ingestion-off"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
