package document

import (
	"fmt"
	"strings"
	"testing"
)

// Made-up records in the shapes that safeguards.md and vendors' pages describe.
const (
	entraChange = `{"category":"AuditLogs","properties":{"targetResources":[
	 {"id":"p1","type":"Policy","modifiedProperties":[
	  {"displayName":"ConditionalAccessPolicy",
	   "oldValue":"{\"state\":\"enabled\",\"conditions\":{\"users\":{\"excludeUsers\":[\"AAA\",\"b\"],\"includeUsers\":[\"All\"]}}}",
	   "newValue":"{\"state\":\"disabled\",\"conditions\":{\"users\":{\"excludeUsers\":[\"aaa\",\"c\",\"d\"],\"includeUsers\":[]}}}"},
	  {"displayName":"Role.DisplayName","oldValue":null,"newValue":"\"Global Administrator\""},
	  {"displayName":"IsCompliant","oldValue":"[true]","newValue":"[false]"},
	  {"displayName":"StrongAuthenticationRequirement","oldValue":"[{\"State\":1},{\"State\":2}]","newValue":"[]"},
	  {"displayName":" Twice ","newValue":"\"[\\\"Guest\\\"]\""},
	  {"displayName":"Deep","newValue":"\"\\\"[true]\\\"\""},
	  {"displayName":"Plain","oldValue":"null","newValue":"Text: not JSON"}]},
	 {"id":"g1","type":"Group","modifiedProperties":[]}],
	 "additionalDetails":[{"key":"User-Agent","value":"Mozilla"},{"key":"Json","value":"{\"a\":[1,2]}"}]}}`
	sharePointChange = `{"RecordType":14,"ModifiedProperties":[{"Name":"SharingCapability","OldValue":"Disabled","NewValue":"Anyone"},"IsRead"],
	 "ExtendedProperties":[{"Name":"RetentionDuration","Value":"100"},{"Name":"RetentionDuration","Value":200}]}`
	intuneChange = `{"properties":{"Targets":[{"Name":"p","ModifiedProperties":[{"Name":"passwordRequired","Old":"True","New":"False"}]}]}}`
	exchange     = `{"RecordType":1,"Parameters":[{"Name":"Identity","Value":"MGYxYTZjMzAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMGFi"},
	 {"Name":"AuditEnabled","Value":"False"},{"Name":"Users","Value":["a","b"]},{"Name":"Force"}]}`
	compliance = `{"RecordType":18,"Parameters":"-Identity \"MGYxYTZjMzAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMGFi\" -AddLabels (\"a\",\"b\") -Disabled $true -Purge -AdvancedSettings @{Mandatory=\"False\"; x=\"y\"} -Rules (\"{\"q\":{\"r\":[7]}}\") -Log (\"[mandatory, false]\")"}`
	governance = `{"RecordType":38,"Parameters":[{"Name":"CmdletOptions","Value":"-Identity \"r\" -RetentionDuration 100"}]}`
	activity   = `{"properties":{"requestbody":"{\"properties\":{\"supportsHttpsTrafficOnly\":false}}","responseBody":"{\"properties\":{\"state\":\"On\"}}"}}`
)

func TestViews(t *testing.T) {
	const guid = "0f1a6c30-0000-4000-8000-0000000000ab"
	tests := []struct{ name, doc, path, want string }{
		{"old policy", entraChange, `modified.ConditionalAccessPolicy.old.state`, `string enabled`},
		{"new policy", entraChange, `modified.conditionalaccesspolicy.new.state`, `string disabled`},
		{"whole object at the end", entraChange, `modified.ConditionalAccessPolicy.new.conditions`, `object {"users":{"excludeUsers":["aaa","c","d"],"includeUsers":[]}}`},
		{"added to a list, case aside", entraChange, `modified.ConditionalAccessPolicy.added.conditions.users.excludeUsers`, `string c|string d`},
		{"removed from a list", entraChange, `modified.ConditionalAccessPolicy.removed.conditions.users.excludeUsers`, `string b`},
		{"nothing added", entraChange, `modified.ConditionalAccessPolicy.added.conditions.users.includeUsers`, ``},
		{"last one removed", entraChange, `modified.ConditionalAccessPolicy.removed.conditions.users.includeUsers`, `string All`},
		{"name with a dot, quoted scalar", entraChange, `modified.Role.DisplayName.new`, `string Global Administrator`},
		{"name with a dot in quotes", entraChange, `modified."Role.DisplayName".added`, `string Global Administrator`},
		{"null before", entraChange, `modified.Role.DisplayName.old`, `null `},
		{"list of a boolean", entraChange, `modified.IsCompliant.new`, `false false`},
		{"list of objects", entraChange, `modified.StrongAuthenticationRequirement.old.State`, `number 1|number 2`},
		{"list emptied", entraChange, `modified.StrongAuthenticationRequirement.new`, `array []`},
		{"list emptied, removed", entraChange, `modified.StrongAuthenticationRequirement.removed.State`, `number 1|number 2`},
		{"two layers", entraChange, `modified.Twice.new`, `string Guest`},
		{"three layers", entraChange, `modified.Deep.new`, `true true`},
		{"absent value", entraChange, `modified.Twice.old`, ``},
		{"plain text", entraChange, `modified.Plain.new`, `string Text: not JSON`},
		{"the word null", entraChange, `modified.Plain.old`, `null `},
		{"any name", entraChange, `modified.*.new.state`, `string disabled`},
		{"unknown name", entraChange, `modified.Nothing.new`, ``},
		{"unified audit", sharePointChange, `modified.SharingCapability.new`, `string Anyone`},
		{"unified audit, removed", sharePointChange, `modified.sharingcapability.removed`, `string Disabled`},
		{"Intune", intuneChange, `modified.passwordRequired.new`, `string False`},
		{"Intune old", intuneChange, `modified.passwordRequired.old`, `string True`},

		{"parameter", exchange, `param.auditenabled`, `string False`},
		{"parameter list", exchange, `param.Users`, `string a|string b`},
		{"identity in base64", exchange, `param.Identity`, `string ` + guid},
		{"parameter without a value", exchange, `param.Force`, ``},
		{"command line list", compliance, `param.AddLabels`, `string a|string b`},
		{"command line boolean", compliance, `param.Disabled`, `true true`},
		{"command line switch", compliance, `param.purge`, `true true`},
		{"command line identity", compliance, `param.Identity`, `string ` + guid},
		{"command line hash table", compliance, `param.AdvancedSettings`, `string Mandatory=False|string x=y`},
		{"key of a hash table", compliance, `param.AdvancedSettings.mandatory`, `string False`},
		{"key of a logged hash table", compliance, `param.Log.Mandatory`, `string false`},
		{"JSON in a command line", compliance, `param.Rules.q.r`, `number 7`},
		{"data governance", governance, `param.RetentionDuration`, `number 100`},
		{"data governance, the parameter itself", governance, `param.CmdletOptions`, `string -Identity "r" -RetentionDuration 100`},

		{"detail", entraChange, `detail.user-agent`, `string Mozilla`},
		{"detail with JSON", entraChange, `detail.Json.a`, `number 1|number 2`},
		{"extended property", sharePointChange, `detail.RetentionDuration`, `string 100|number 200`},
		{"extended properties as a command line", `{"ExtendedProperties":"-Name \"foo\" -HoldNames () -Force \"True\""}`, `detail.Name`, `string foo`},

		{"request body", activity, `body.properties.supportsHttpsTrafficOnly`, `false false`},
		{"the response does not fill in", activity, `body.properties.state`, ``},
		{"whole body", activity, `body`, `object {"properties":{"supportsHttpsTrafficOnly":false}}`},
		{"response body", `{"properties":{"requestbody":"","responseBody":{"a":1}}}`, `body.a`, `number 1`},
		{"cut request body", `{"properties":{"requestbody":"{\"a\":","responseBody":"{\"a\":1}"}}`, `body.a`, `number 1`},
		{"camel case", `{"properties":{"requestBody":{"A":1}}}`, `body.a`, `number 1`},
		{"no body", `{"properties":{}}`, `body.a`, ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := parse(t, tt.doc)
			for range 2 {
				if got := render(d.Values(MustCompile(tt.path), nil)); got != tt.want {
					t.Errorf("%s = %s, want %s", tt.path, got, tt.want)
				}
			}
		})
	}
}

func TestViewsInGraphLayout(t *testing.T) {
	d := parse(t, `{"targetResources":[{"modifiedProperties":[{"displayName":"A","oldValue":"\"x\"","newValue":"\"y\""}]}],"additionalDetails":[{"key":"k","value":"v"}]}`)
	d.SetLayout(Graph)
	if got := render(d.Values(MustCompile("modified.A.added"), nil)); got != "string y" {
		t.Errorf("modified.A.added = %s", got)
	}
	if got := render(d.Values(MustCompile("detail.k"), nil)); got != "string v" {
		t.Errorf("detail.k = %s", got)
	}
}

// Long lists are compared by a map: it must see the same differences.
func TestDifferenceOfLongLists(t *testing.T) {
	var old, now []string
	for i := range 500 {
		old = append(old, fmt.Sprintf(`"Id-%d"`, i))
		now = append(now, fmt.Sprintf(`"iD-%d"`, i+1))
	}
	change := `{"ModifiedProperties":[{"Name":"A","OldValue":[` + strings.Join(old, ",") + `],"NewValue":[` + strings.Join(now, ",") + `]}]}`
	d := parse(t, change)
	if got := render(d.Values(MustCompile("modified.A.added"), nil)); got != "string iD-500" {
		t.Errorf("added %s", got)
	}
	if got := render(d.Values(MustCompile("modified.A.removed"), nil)); got != "string Id-0" {
		t.Errorf("removed %s", got)
	}
}
