package fields

import "testing"

func TestDefaultSetOfAMailbox(t *testing.T) {
	for sets, want := range map[string]int{
		"Owner": len(mailboxActions), "admin,OWNER": len(mailboxActions), "Admin": 0, "Admin,Delegate": 0, "": 0,
		"Admin,Delegate,Owner": 0, // all of it: nothing in particular
	} {
		record := map[string]any{"CreationTime": "2026-03-02T09:00:00", "Operation": "Set-Mailbox", "RecordType": 1, "Workload": "Exchange",
			"Parameters": []map[string]string{{"Name": "DefaultAuditSet", "Value": sets}}}
		if got := told(t, "default_set.Owner", record); len(got) != want {
			t.Errorf("%q brings back %d actions of the owner, want %d", sets, len(got), want)
		}
	}
}
