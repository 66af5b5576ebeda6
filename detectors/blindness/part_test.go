package blindness

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest"
)

func TestPartsOfKinds(t *testing.T) {
	const activity, intune = `{"time":"2026-09-14T08:00:00Z","resourceId":"/SUBSCRIPTIONS/S1/RESOURCEGROUPS/RG","category":%q,"operationName":"Microsoft.Storage/storageAccounts/write","resultType":"Success","correlationId":"c","tenantId":"t1"}`,
		`{"time":"2026-09-14T08:00:00Z","tenantId":"t1","category":%q,"operationName":"Patch DeviceCompliancePolicy","properties":{"ActivityType":1,"IntuneAccountId":"a","AuditEventId":"b"}}`
	const audit = `{"CreationTime":"2026-09-14T08:00:00","Id":"1","Operation":%q,"OrganizationId":"t1","RecordType":11,"Workload":"SharePoint","UserId":"ann@example.org"}`
	for _, c := range []struct {
		record, value string
		kind          ingest.Kind
		want          string
	}{
		{activity, "Administrative", ingest.AzureActivity, "Administrative"},
		{activity, "ADMINISTRATIVE", ingest.AzureActivity, "Administrative"},
		{activity, "ServiceHealth", ingest.AzureActivity, ""},
		{intune, "AuditLogs", ingest.Intune, "AuditLogs"},
		{intune, "OperationalLogs", ingest.Intune, "OperationalLogs"},
		{audit, "FileDownloaded", ingest.M365Audit, "SharePoint"},
		{audit, "DLPRuleMatch", ingest.M365Audit, "DLP"},
		{audit, "DlpRuleUndo", ingest.M365Audit, "DLP"},
	} {
		decodeAll(t, fmt.Appendf(nil, c.record, c.value), func(ev *ingest.Event) {
			if got := partOf(ev); ev.Kind != c.kind || got != c.want {
				t.Errorf("%s of %s: got part %q, want %q", c.value, ev.Kind, got, c.want)
			}
		})
	}
}

// TestAContentTypeThatStops has a forwarder leave DLP.All out: SharePoint's other
// records go on.
func TestAContentTypeThatStops(t *testing.T) {
	l := listen(t, Options{})
	arrive := func(operations ...string) func() {
		return func() {
			g := l.watch.Begin(&ingest.Batch{Partition: ingest.Partition{Hub: someHub, ID: "0"}})
			for _, o := range operations {
				g.Event(&ingest.Event{Kind: ingest.M365Audit, Tenant: "t1", Workload: "SharePoint", Action: o, Time: l.now, Enqueued: l.now})
			}
			l.watch.Saw(g, l.now)
		}
	}
	l.pass(twoDays, arrive("FileDownloaded", "DLPRuleMatch"))
	l.pass(2*time.Hour, arrive("FileDownloaded"))
	l.pass(round, arrive("DLPRuleMatch"))
	want := []string{"Wed 00:00 weakened partial-silence high t1 + m365-audit + DLP", "Wed 02:05 restored partial-silence t1 + m365-audit + DLP"}
	if diff := cmp.Diff(want, l.told); diff != "" {
		t.Error(diff)
	}
}
