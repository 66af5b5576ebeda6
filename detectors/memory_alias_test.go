package detectors

import "testing"

// What a value shows against the one before it is of the violation that the event
// itself is of, by whatever name the event knows the thing.
func TestMemoryFollowsAliases(t *testing.T) {
	rule := exchangeRule("  selection: {Operation: Set-Thing, param.Days|lt: 14}\n  condition: selection", `
  alias:
    names: [{field: ObjectId, after: '/'}, ObjectId]
    used: {selection: {Operation: Set-Thing}, condition: selection}
  restored: {selection: {Operation: Set-Thing, param.Days|gte: 30}, condition: selection}
  memory:
    seen: {selection: {param.Days|exists: true}, condition: selection}
    values: {Days: {field: param.Days, weak: lowered}}
`)
	got := played(t, newEngine(t, setOf(t, rule)),
		exchange(1, "Set-Thing", "org/b.quist", "Days", "3"),
		exchange(2, "Set-Thing", "org/b.quist", "Days", "30"),
		exchange(3, "Set-Thing", "b.quist", "Days", "20"),
		exchange(4, "Set-Thing", "b.quist", "Days", "3"))
	expect(t, got,
		"1 weakened high org/b.quist - +",
		"2 restored high org/b.quist - +",
		"2 restored high org/b.quist - +Days",
		"4 weakened high org/b.quist - +",
		"4 weakened high org/b.quist -Days +")
}
