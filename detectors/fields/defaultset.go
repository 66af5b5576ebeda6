package fields

import (
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// defaultSet are the mailbox actions that are audited again when a kind of people
// (Admin, Delegate or Owner) gets its default set back, and not all kinds do. Which
// actions are default changes, so it is all there are.
type defaultSet struct{ of string }

func newDefaultSet(arg string, _ map[string][]string) (computed, error) {
	return &defaultSet{arg}, nil
}

var (
	pathDefaultSet = document.MustCompile("param.DefaultAuditSet")
	allDefaultSets = []string{"admin", "delegate", "owner"}

	mailboxActions = []string{
		"AddFolderPermissions", "ApplyRecord", "Copy", "Create", "FolderBind", "HardDelete", "MailboxLogin", "MailItemsAccessed", "MessageBind",
		"ModifyFolderPermissions", "Move", "MoveToDeletedItems", "RecordDelete", "RemoveFolderPermissions", "SearchQueryInitiated", "Send", "SendAs",
		"SendOnBehalf", "SoftDelete", "Update", "UpdateCalendarDelegation", "UpdateComplianceTag", "UpdateFolderPermissions", "UpdateInboxRules",
	}
)

func (d *defaultSet) inputs() []*document.Path { return []*document.Path{pathDefaultSet} }

func (d *defaultSet) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	sets := itemsAt(ev, pathDefaultSet)
	for i := range sets {
		sets[i] = strings.ToLower(sets[i])
	}
	lacks := func(set string) bool { return !slices.Contains(sets, set) }
	if lacks(strings.ToLower(d.of)) || !slices.ContainsFunc(allDefaultSets, lacks) {
		return dst
	}
	for _, action := range mailboxActions {
		dst = append(dst, sigma.Value{Kind: sigma.String, Text: action})
	}
	return dst
}
