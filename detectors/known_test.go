package detectors

import "testing"

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
