package detectors

import (
	"strings"
	"testing"
)

func TestPacksThatDisableWhatAnEntryGoesByAreWarnedOf(t *testing.T) {
	for name, c := range map[string]struct {
		disable []string
		want    []string
	}{
		"nothing":  {},
		"a feeder": {[]string{"entry:ca-off"}, []string{`evidence-gap goes by "ca-off", too, which entry:ca-off disables`}},
		"a feeder of both": {[]string{"entry:log-off"}, []string{
			`stream-silence goes by "log-off"`, `evidence-gap goes by "log-off"`,
		}},
		"and what it feeds": {[]string{"entry:ca-off", "entry:evidence-gap"}, nil},
		"all":               {[]string{"all"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			set := packSet(t)
			if err := set.Tune(Pack{Disable: c.disable}, tended...); err != nil {
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
