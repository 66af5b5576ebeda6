package fields

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phiwatch/detectors/rules"
)

// The roles that the rule asks for have the names that it gives them.
func TestAzureRolesOfTheRuleHaveNames(t *testing.T) {
	text, err := rules.FS.ReadFile("authentication/azure-role-assigned.yml")
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^ +- ([0-9a-f-]{36}) # (.+)$`).FindAllStringSubmatch(string(text), -1) {
		asked[m[1]] = m[2]
	}
	if diff := cmp.Diff(asked, azureRoles); diff != "" {
		t.Errorf("roles of the rule (-) and their names (+):\n%s", diff)
	}
}
