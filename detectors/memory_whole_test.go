package detectors

import (
	"strings"
	"testing"
	"time"
)

// Days and sets, and whether what was lost is back.
func TestWhatStandsForAllGivesBackWhatWasLostLongAgo(t *testing.T) {
	for name, c := range map[string]struct {
		told, only, want string
	}{
		"a moment ago":         {"0:a,b 1:b 2:all", "", "v: a,v: all,v: b"},
		"long ago":             {"0:a,b 1:b 20:all", "", "v: a,v: all,v: b"},
		"told again meanwhile": {"0:a,b 1:b 10:b 20:b 30:all,c", "", "v: a,v: all,v: b,v: c"},
		"only some count":      {"9:b 20:all", "a", "v: a"}, // the rest of the history is forgotten
		"not all":              {"0:a,b 1:b 20:b,c", "", "v: b,v: c"},
	} {
		t.Run(name, func(t *testing.T) {
			v := remembered{name: "v", weak: "shrank", whole: members([]string{"all"})}
			if c.only != "" {
				v.only = members([]string{c.only})
			}
			m := &memory{values: []remembered{v}}
			if lasts := c.only == ""; m.lasting() != lasts {
				t.Errorf("the memory is lasting: %t, want %t", m.lasting(), lasts)
			}
			var history []Finding
			for told := range strings.FieldsSeq(c.told) {
				day, value, _ := strings.Cut(told, ":")
				at, err := time.ParseDuration(day + "h")
				if err != nil {
					t.Fatal(err)
				}
				history = append(history, Finding{Time: time.Unix(0, 0).Add(24 * at), provisional: provisional{Told: map[string][]string{"v": {value}}}})
			}
			found := m.judge(history, len(history)-1)
			if len(found) != 1 || found[0].State != Restored {
				t.Fatalf("%s is %v, want one restore", c.told, found)
			}
			if got := strings.Join(found[0].Strong, ","); got != c.want {
				t.Errorf("%s gives back %s, want %s", c.told, got, c.want)
			}
		})
	}
}
