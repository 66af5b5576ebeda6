package detectors

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

func TestPacksThatDisableWhatTheWatchGoesByAreWarnedOf(t *testing.T) {
	fsys := fstest.MapFS{}
	for _, entry := range append([]string{"azure-diag-weakened"}, streamSwitches...) {
		text := strings.Replace(packRule(entry, entry, "", ""), "5d0f1c1e", fmt.Sprintf("5d0f1c%02x", len(fsys)), 1)
		fsys["audit/"+entry+".yml"] = &fstest.MapFile{Data: []byte(text)}
	}
	for name, c := range map[string]struct {
		disable []string
		want    []string
	}{
		"nothing": {},
		"a feeder": {[]string{"entry:azure-diag-weakened"}, []string{
			`diag-off-and-silent goes by "azure-diag-weakened", too, which entry:azure-diag-weakened disables`,
		}},
		"a feeder of both": {[]string{"entry:entra-diag-deleted"}, []string{
			`diag-off-and-silent goes by "entra-diag-deleted"`, `evidence-gap goes by "entra-diag-deleted"`,
		}},
		"and what it feeds": {[]string{"entry:ual-ingestion-off", "entry:evidence-gap"}, nil},
		"all":               {[]string{"all"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := Load(nil, Source{FS: fsys})
			if err != nil {
				t.Fatal(err)
			}
			if err := set.Tune(Pack{Disable: c.disable}); err != nil {
				t.Fatal(err)
			}
			if len(set.Warnings) != len(c.want) {
				t.Fatalf("got warnings %v, want %d", set.Warnings, len(c.want))
			}
			for _, want := range c.want {
				found := false
				for _, w := range set.Warnings {
					found = found || strings.Contains(w.Error(), want)
				}
				if !found {
					t.Errorf("got %v, want %s", set.Warnings, want)
				}
			}
		})
	}
}
