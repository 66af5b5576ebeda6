package detectors

import (
	"fmt"
	"testing"
)

// weakenedThenRead is a rule that finds nothing of a subject that was never known to be
// strong, and what people do with it then.
const weakenedThenRead = `
title: TLS lowered
id: 5d0f1c1e-0000-4000-8000-00000000000a
logsource: {product: azure, service: activitylogs}
detection:
  selection:
    operationName: Microsoft.Storage/storageAccounts/write
    body.properties.minimumTlsVersion: TLS1_0
  condition: selection
level: high
safeguard:
  entry: tls
  subject: resourceId
  unknown: none
  restored:
    selection:
      operationName: Microsoft.Storage/storageAccounts/write
      body.properties.minimumTlsVersion: TLS1_2
    condition: selection
---
title: Read
name: read
logsource: {product: azure, service: activitylogs}
detection:
  selection: {operationName: Microsoft.Storage/storageAccounts/write, body.properties.minimumTlsVersion: TLS1_9}
  condition: selection
---
title: read while weak
correlation: {type: temporal_ordered, rules: [tls, read], group-by: [event.tenant], timespan: 1h}
safeguard: {entry: read-while-weak}
`

// What is found only once its subject is known to have been strong takes part in
// correlations then, whichever record comes last.
func TestWhatBecomesKnownTakesPartInCorrelations(t *testing.T) {
	strong := activity("2026-09-14T08:00:00Z", "a", "Success", "TLS1_2")
	weak := activity("2026-09-14T08:10:00Z", "b", "Success", "TLS1_0")
	read := activity("2026-09-14T08:20:00Z", "c", "Success", "TLS1_9")
	joinedInAnyOrder(t, weakenedThenRead, []string{"08:00 tls restored", "08:10 tls weakened", "08:20 read-while-weak incident"}, strong, weak, read)
	joinedInAnyOrder(t, weakenedThenRead, nil, weak, read)
}

// diverting is a rule that knows mail-flow rules by more than one name.
const diverting = `
title: Rule diverts
id: 5d0f1c1e-0000-4000-8000-00000000000b
logsource: {product: m365, service: audit}
detection:
  selection: {Operation: New-TransportRule, param.CopyTo|exists: true}
  again: {Operation: Enable-TransportRule}
  condition: selection or again
level: high
safeguard:
  entry: diverts
  subject: param.Identity | param.Name
  alias:
    names: [ObjectId | param.Name]
    used: {selection: {ObjectId|re: '\S'}, condition: selection}
  restored: {selection: {Operation: Disable-TransportRule}, condition: selection}
  known:
    detection: {selection: {Operation: New-TransportRule, param.CopyTo|exists: true}, condition: selection}
    key: param.Identity | param.Name
    of: param.Identity | param.Name
  unknown: {level: none, detection: {selection: {Operation: Enable-TransportRule}, condition: selection}}
`

// What was made by its name is known when it is enabled by its id.
func TestWhatIsKnownHasOtherNames(t *testing.T) {
	rule := func(hour int, operation, object, parameter, value, more string) string {
		return fmt.Sprintf(`{"Id":"r%d","Operation":%q,"RecordType":1,"Workload":"Exchange","CreationTime":"2026-10-05T%02d:00:00","OrganizationId":"t","UserId":"ann",
			"ResultStatus":"True","ObjectId":%q,"Parameters":[{"Name":%q,"Value":%q}%s]}`, hour, operation, hour, object, parameter, value, more)
	}
	made := rule(8, "New-TransportRule", "", "Name", "Night copy", `,{"Name":"CopyTo","Value":"a@example.net"}`)
	off := rule(9, "Disable-TransportRule", "Night copy", "Identity", "Night copy", "")
	on := rule(10, "Enable-TransportRule", "Night copy", "Identity", "4f0c6a52-8d1b-4e57-9a3c-2b6d7e8f9a01", "")
	other := rule(11, "Enable-TransportRule", "Footer", "Identity", "4f0c6a52-8d1b-4e57-9a3c-2b6d7e8f9a02", "")
	joinedInAnyOrder(t, diverting, []string{"08:00 diverts weakened", "09:00 diverts restored", "10:00 diverts weakened"}, made, off, on, other)
}
