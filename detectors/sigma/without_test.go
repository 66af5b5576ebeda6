package sigma

import "testing"

func TestCanHoldWithoutFields(t *testing.T) {
	for _, tt := range []struct {
		detection string
		want      bool
	}{
		{"{s: {gone: 1}, condition: s}", false},
		{"{s: {gone: 1, here: 2}, condition: s}", false},
		{"{s: {here: 2}, t: {gone: 1}, condition: s and not t}", true},
		{"{s: {here: 2}, t: {gone: 1}, condition: s or t}", true},
		{"{s: {gone: 2}, t: {lost: 1}, condition: s or t}", false},
		{"{s: {gone: 2}, t: {lost: 1}, condition: 1 of them}", false},
		{"{s: {gone: null}, condition: s}", true},
		{"{s: {gone: null}, condition: not s}", false},
		{"{s: {gone|exists: true}, condition: s}", false},
		{"{s: {gone|exists: false}, condition: s}", true},
		{"{s: {gone|exists: false}, condition: not s}", false},
		{"{s: {here|exists: false}, condition: not s}", true},
		{"{s: {gone|neq: x}, condition: s}", true},
		{"{s: {here|fieldref: gone}, condition: s}", false},
		{"{s: {here|fieldref: here}, condition: s}", true},
		{"{k: [word], condition: k}", true},
		{"{s: [{gone: 1}, {here: 1}], condition: s}", true},
	} {
		docs := parseAll(t, "title: t\nlogsource: {product: p}\ndetection: "+tt.detection+"\n")
		m, err := Compile(docs[0].(*Rule).Detection, Options{})
		if err != nil {
			t.Fatalf("%s: %v", tt.detection, err)
		}
		gone := map[int]bool{m.Fields().Slot("gone"): true, m.Fields().Slot("lost"): true}
		if got := m.CanHoldWithout(func(slot int) bool { return gone[slot] }); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.detection, got, tt.want)
		}
	}
}
