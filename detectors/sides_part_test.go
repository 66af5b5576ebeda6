package detectors

import (
	"strings"
	"testing"
	"testing/fstest"
)

// partsSides are the rights that a record lists as MEMBER: RIGHT.
const partsSides = `
  restored:
    selection: {Operation: Add-Back}
    condition: selection
  sides:
    right: {lost: param.Lost, back: param.Back, by_part: true}
`

// A side is one of the subject that has its part: not of others of the event, nor
// of one whose name only ends alike.
func TestSidesOfOneOfSeveralSubjects(t *testing.T) {
	rule := strings.Replace(exchangeRule("\n  selection: {Operation: Take}\n  condition: selection", partsSides),
		"subject: ObjectId | param.Name", "subject: [ObjectId, {field: param.Of, each: true, split: ;}]", 1)
	expect(t, played(t, engineOf(t, nil, rule),
		exchange(1, "Take", "x", "Of", "a;ba", "Lost", "A: Read"),
		exchange(2, "Take", "x", "Of", "a", "Lost", "x: read"),
		exchange(3, "Add-Back", "x", "Of", "a;ba", "Back", "ba: write", "Lost", "a: read"),
		exchange(4, "Take", "x", "Of", "a", "Lost", "read"),
	),
		"1 weakened high x + a -right: read +", "1 weakened high x + ba - +",
		"2 weakened high x + a -right: read +",
		"3 restored high x + a - +", "3 restored high x + ba - +right: write",
		"4 weakened high x + a - +")
}

func TestByPartIsOfFields(t *testing.T) {
	rule := exchangeRule("\n  selection: {Operation: Take}\n  condition: selection", `
  sides:
    a: {weak: {param.A: false}, by_part: true}
`)
	_, err := Load(nil, Source{FS: fstest.MapFS{"a/aa.yml": {Data: []byte(rule)}}})
	if err == nil || !strings.HasPrefix(err.Error(), "a/aa.yml:14:8: safeguard.sides: by_part is of the values of fields") {
		t.Errorf("error %v", err)
	}
}
