package fields

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhichKeysACombinationTakes(t *testing.T) {
	const (
		one  = `{"id":"c","allowedAAGUIDs":["a"]}`
		two  = `{"id":"c","allowedAAGUIDs":["b","A"]}`
		any  = `{"id":"c","allowedAAGUIDs":[]}`
		null = `{"id":"c","allowedAAGUIDs":null}`
		gone = `{"id":"c"}`
		cut  = `{"id":"c","allowedAAG`
	)
	for _, c := range []struct {
		field, before, now string
		want               []string
	}{
		{"allowed_more.allowedAAGUIDs", one, two, []string{"b"}},
		{"allowed_less.allowedAAGUIDs", two, one, []string{"b"}},
		{"allowed_more.allowedAAGUIDs", one, any, []string{"All"}},
		{"allowed_more.allowedAAGUIDs", one, null, []string{"All"}},
		{"allowed_more.allowedAAGUIDs", one, gone, []string{"All"}},
		{"allowed_less.allowedAAGUIDs", gone, one, []string{"All"}},
		{"allowed_more.allowedAAGUIDs", any, one, nil},
		{"allowed_less.allowedAAGUIDs", one, any, nil},
		{"allowed_more.allowedAAGUIDs", one, cut, nil},
		{"allowed_less.allowedAAGUIDs", cut, one, nil},
		{"allowed_less.allowedAAGUIDs", two, cut, nil},
	} {
		const operation = "Authentication Strength Combination Configuration Update"
		if diff := cmp.Diff(c.want, changed(t, c.field, operation, "CombinationConfiguration", c.before, c.now)); diff != "" {
			t.Errorf("%s from %s to %s (-want +got):\n%s", c.field, c.before, c.now, diff)
		}
	}
	if _, err := compute("allowed_more.allowedCombinations", nil); err == nil {
		t.Error("allowed_more.allowedCombinations is no field")
	}
}
