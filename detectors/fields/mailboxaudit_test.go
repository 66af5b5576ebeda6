package fields

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mailboxRecord(parameters ...string) map[string]any {
	var list []map[string]string
	for i := 0; i+1 < len(parameters); i += 2 {
		list = append(list, map[string]string{"Name": parameters[i], "Value": parameters[i+1]})
	}
	return map[string]any{"CreationTime": "2026-03-02T09:00:00", "Operation": "Set-Mailbox", "RecordType": 1, "Workload": "Exchange", "Parameters": list}
}

func TestActionsThatAMailboxRecords(t *testing.T) {
	for text, want := range map[string]struct{ list, taken, given []string }{
		"MailboxLogin, HardDelete":              {list: []string{"MailboxLogin", "HardDelete"}, given: []string{"MailboxLogin", "HardDelete"}},
		"Remove=MailItemsAccessed,SendAs":       {taken: []string{"MailItemsAccessed", "SendAs"}},
		"Add=Move;Remove=SendAs":                {taken: []string{"SendAs"}, given: []string{"Move"}},
		`@{Remove="SendAs","Send"; Add="Move"}`: {taken: []string{"SendAs", "Send"}, given: []string{"Move"}},
		"Add={Move},Remove={SendAs}":            {taken: []string{"SendAs"}, given: []string{"Move"}},
		`{"Remove":["SendAs"]}`:                 {taken: []string{"SendAs"}},
		"Add=RemoveFolderPermissions":           {given: []string{"RemoveFolderPermissions"}},
		"RemoveFolderPermissions":               {list: []string{"RemoveFolderPermissions"}, given: []string{"RemoveFolderPermissions"}},
		"None":                                  {},
		"":                                      {},
	} {
		for what, want := range map[string][]string{"list": want.list, "taken": want.taken, "given": want.given} {
			if diff := cmp.Diff(want, told(t, "mailbox_audit."+what+".Owner", mailboxRecord("AuditOwner", text, "AuditAdmin", "Copy"))); diff != "" {
				t.Errorf("%s of %q (-want +got):\n%s", what, text, diff)
			}
		}
	}
}

func TestDefaultSetOfAMailbox(t *testing.T) {
	for sets, want := range map[string][]string{
		"Owner": mailboxActions, "admin,OWNER": mailboxActions, "Admin": nil, "Admin,Delegate": nil, "": nil,
		"Admin,Delegate,Owner": nil, // all of it: nothing in particular
	} {
		if got := told(t, "mailbox_audit.given.Owner", mailboxRecord("DefaultAuditSet", sets)); !slices.Equal(got, want) {
			t.Errorf("%q brings back %q of the owner", sets, got)
		}
	}
}

func TestActionsAreOfAKind(t *testing.T) {
	for _, arg := range []string{"taken", "taken.Guest", "lost.Owner", ""} {
		if _, err := compute("mailbox_audit."+arg, nil); err == nil {
			t.Errorf("mailbox_audit.%s compiles", arg)
		}
	}
}
