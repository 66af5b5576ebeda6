package fields

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConditionsThatAreNotKnown(t *testing.T) {
	const (
		plain  = `{"users":{"includeUsers":["All"]},"locations":null,"agentIdRiskLevels":null}`
		empty  = `{"users":{"includeUsers":["All"],"excludeRobots":[]},"weather":null,"tides":{"include":["All"],"exclude":[]},"weather@odata.type":"x"}`
		rain   = `{"users":{"includeUsers":["All"]},"weather":{"include":["rain"]}}`
		snow   = `{"users":{"includeUsers":["All"]},"weather":{"include":["snow"]},"clientAppTypes":["browser"]}`
		robots = `{"users":{"includeUsers":["All"],"excludeRobots":["r"]},"weather":{"include":["rain"]}}`
		people = `{"users":{"includeUsers":["All"],"excludeUsers":["u"]}}`
	)
	for _, c := range []struct {
		field, before, now string
		want               []string
	}{
		{"narrowed.unread", plain, rain, []string{"weather"}},
		{"narrowed.unread", plain, empty, nil},
		{"narrowed.unread", rain, snow, []string{"weather"}},
		{"narrowed.unread", rain, robots, []string{"users.excludeRobots"}},
		{"narrowed.unread", plain, people, nil},
		{"narrowed.unread", "", rain, nil}, // it may have been so before
		{"narrowed.unread", robots, rain, nil},
		{"widened.unread", robots, rain, []string{"users.excludeRobots"}},
		{"widened.unread", rain, snow, nil},
		{"widened.unread", rain, plain, nil}, // everything
		{"widened.everything", snow, rain, nil},
		{"widened.everything", snow, plain, []string{"true"}},
	} {
		if diff := cmp.Diff(c.want, reachOf(t, c.field, c.before, c.now)); diff != "" {
			t.Errorf("%s from %s to %s (-want +got):\n%s", c.field, c.before, c.now, diff)
		}
	}
}
