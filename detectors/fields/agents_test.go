package fields

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhichAgentsAPolicySparesAndReaches(t *testing.T) {
	const (
		agents = `{"clientApplications":{"includeAgentIdServicePrincipals":["All"],"excludeAgentIdServicePrincipals":[]}}`
		butOne = `{"clientApplications":{"includeAgentIdServicePrincipals":["All"],"excludeAgentIdServicePrincipals":["a"]}}`
		one    = `{"clientApplications":{"includeAgentIdServicePrincipals":["b"]}}`
	)
	for _, c := range []struct {
		field, before, now string
		want               []string
	}{
		{"spared.glass.excludeAgentIdServicePrincipals", agents, butOne, []string{"a"}},
		{"spared.glass.includeAgentIdServicePrincipals", agents, one, []string{"All"}},
		{"spared.glass.includeAgentIdServicePrincipals", one, agents, nil},
		{"reached.glass.excludeAgentIdServicePrincipals", butOne, agents, nil}, // every agent
		{"reached.glass.every_agent", butOne, agents, []string{"true"}},
		{"reached.glass.every_agent", one, butOne, nil},
		{"reached.glass.every_workload", butOne, agents, nil},
	} {
		if diff := cmp.Diff(c.want, reachOf(t, c.field, c.before, c.now)); diff != "" {
			t.Errorf("%s from %s to %s (-want +got):\n%s", c.field, c.before, c.now, diff)
		}
	}
}
