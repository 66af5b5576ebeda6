package detectors

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"phiwatch/ingest"
)

// membersRule watches each member of a thing.
func membersRule() string {
	rule := exchangeRule("\n  selection: {Operation: Add-Member}\n  condition: selection", `
  restored:
    selection: {Operation: Remove-Member}
    condition: selection
`)
	return strings.Replace(rule, "subject: ObjectId | param.Name", `subject:
    - ObjectId
    - {field: param.Members, each: true, split: ';,', optional: true}`, 1)
}

// membersOf plays a record with a value of Members as JSON and returns the subjects.
func membersOf(t *testing.T, e *Engine, operation, value string) []string {
	t.Helper()
	record := fmt.Sprintf(`{"CreationTime":"2026-03-02T10:00:00","Id":"e","Operation":%q,"OrganizationId":"t","RecordType":1,"ResultStatus":"True",`+
		`"Workload":"Exchange","ObjectId":"x","UserId":"ann@example.org","Parameters":[{"Name":"Members","Value":%s}]}`, operation, value)
	var out []string
	decodeAll(t, []byte(record), func(ev *ingest.Event) {
		for _, m := range e.Match(ev, nil) {
			out = append(out, m.Finding.Subject)
		}
	})
	return out
}

func TestSubjectsOfSeveralValuesInOneText(t *testing.T) {
	e := engineOf(t, nil, membersRule())
	for value, want := range map[string][]string{
		`"a;b"`:                     {"x + a", "x + b"},
		`"a,b"`:                     {"x + a", "x + b"},
		`["a","b"]`:                 {"x + a", "x + b"},
		`["a;b"]`:                   {"x + a", "x + b"},
		`" a ; b;;"`:                {"x + a", "x + b"},
		`"a"`:                       {"x + a"},
		`""`:                        {"x"},
		`";"`:                       {"x"},
		`"Dorn, Kim"`:               {"x + Dorn, Kim"},
		`"Dorn, Kim;Weiss, Ida"`:    {"x + Dorn, Kim", "x + Weiss, Ida"},
		`"Dorn, Kim,Weiss, Ida"`:    {"x + Dorn, Kim", "x + Weiss, Ida"},
		`"k.dorn;CN=Ida,OU=Ward 2"`: {"x + k.dorn", "x + CN=Ida,OU=Ward 2"},
	} {
		for _, operation := range []string{"Add-Member", "Remove-Member"} {
			if diff := cmp.Diff(want, membersOf(t, e, operation, value)); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", operation, value, diff)
			}
		}
	}
	for values, cut := range map[int]float64{maxSubjects: 0, 2 * maxSubjects: 1} {
		before := testutil.ToFloat64(e.metrics.cut)
		many := `"` + strings.Repeat("m;", values) + `"`
		if got := membersOf(t, e, "Add-Member", many); len(got) != maxSubjects {
			t.Errorf("%d subjects of %d values, want %d", len(got), values, maxSubjects)
		}
		if got := testutil.ToFloat64(e.metrics.cut) - before; got != cut {
			t.Errorf("%d values count as %v events of which not all was looked at, want %v", values, got, cut)
		}
	}
}

func TestRemovingOneMemberRestoresIt(t *testing.T) {
	expect(t, played(t, engineOf(t, nil, membersRule()),
		exchange(1, "Add-Member", "x", "Members", "a;b"),
		exchange(2, "Remove-Member", "x", "Members", "b"),
	),
		"1 weakened high x + a - +", "1 weakened high x + b - +", "2 restored high x + b - +")
}

func TestMistakesInWhatSplits(t *testing.T) {
	for split, want := range map[string]string{
		`{field: ObjectId, split: ;}`:                `subject: split: ";" needs each: true`,
		`{field: ObjectId, each: false, split: ;}`:   `subject: split: ";" needs each: true`,
		`{field: ObjectId, each: true, split: or}`:   `subject: split: "or": write the characters that separate values`,
		`{field: ObjectId, each: true, splits: ';'}`: `did you mean "split"?`,
		`{field: ObjectId, each: true, split: [;]}`:  `.split: want a text, got a list`,
	} {
		rule := strings.Replace(membersRule(), "{field: param.Members, each: true, split: ';,', optional: true}", split, 1)
		_, err := Load(nil, Source{FS: fstest.MapFS{"a/aa.yml": {Data: []byte(rule)}}})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "a/aa.yml:") {
			t.Errorf("%s: error %v, want …%s", split, err, want)
		}
	}
}
