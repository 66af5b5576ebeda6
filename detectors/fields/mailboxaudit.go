package fields

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// mailboxAudit says what becomes of the actions of a kind of people (Admin, Delegate,
// Owner) that a mailbox records:
//
//	list   those of a whole list that replaces the old one, or of the default set
//	taken  those that a hash table takes out: @{Remove="SendAs"; Add="Move"}
//	given  those that it adds, and those of a list
//
// Which actions are in a default set changes, so it is all there are. It counts only
// where not all kinds get theirs back, which restores the mailbox as a whole.
type mailboxAudit struct {
	what, kind string
	actions    *document.Path
}

func newMailboxAudit(arg string, _ map[string][]string) (computed, error) {
	what, kind, _ := strings.Cut(arg, ".")
	if !slices.Contains([]string{"list", "taken", "given"}, what) || !slices.Contains(auditKinds, strings.ToLower(kind)) {
		return nil, fmt.Errorf("%q: write list, taken or given, and Admin, Delegate or Owner, as in taken.Owner", arg)
	}
	p, err := document.Compile("param.Audit" + kind)
	return &mailboxAudit{what, strings.ToLower(kind), p}, err
}

var (
	auditKinds     = []string{"admin", "delegate", "owner"}
	pathDefaultSet = document.MustCompile("param.DefaultAuditSet")

	// tableKey begins what a hash table says, however it is written.
	tableKey = regexp.MustCompile(`(?i)(?:^|[^a-z])(add|remove)["']?\s*[=:]`)

	mailboxActions = []string{
		"AddFolderPermissions", "ApplyRecord", "Copy", "Create", "FolderBind", "HardDelete", "MailboxLogin", "MailItemsAccessed", "MessageBind",
		"ModifyFolderPermissions", "Move", "MoveToDeletedItems", "RecordDelete", "RemoveFolderPermissions", "SearchQueryInitiated", "Send", "SendAs",
		"SendOnBehalf", "SoftDelete", "Update", "UpdateCalendarDelegation", "UpdateComplianceTag", "UpdateFolderPermissions", "UpdateInboxRules",
	}
)

func (m *mailboxAudit) inputs() []*document.Path {
	if m.what == "taken" {
		return []*document.Path{m.actions}
	}
	return []*document.Path{m.actions, pathDefaultSet}
}

func (m *mailboxAudit) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	from := len(dst)
	for text := range texts(ev, m.actions) {
		for key, items := range auditTable(text) {
			if m.what == "list" && key == "" || m.what == "taken" && key == "remove" || m.what == "given" && key != "remove" {
				for _, item := range items {
					dst = tellOnce(dst, from, item)
				}
			}
		}
	}
	if m.what != "taken" && m.byDefault(itemsAt(ev, pathDefaultSet)) {
		for _, action := range mailboxActions {
			dst = tellOnce(dst, from, action)
		}
	}
	return dst
}

// byDefault reports whether the kind gets its default set, and not all kinds do.
func (m *mailboxAudit) byDefault(sets []string) bool {
	for i := range sets {
		sets[i] = strings.ToLower(sets[i])
	}
	lacks := func(set string) bool { return !slices.Contains(sets, set) }
	return !lacks(m.kind) && slices.ContainsFunc(auditKinds, lacks)
}

// auditTable yields what a text says under each key of a hash table, in lower case,
// and under none if it is a list.
func auditTable(text string) func(yield func(key string, items []string) bool) {
	return func(yield func(string, []string) bool) {
		keys := tableKey.FindAllStringSubmatchIndex(text, -1)
		if len(keys) == 0 {
			yield("", auditActions(text))
			return
		}
		for i, at := range keys {
			end := len(text)
			if i+1 < len(keys) {
				end = keys[i+1][0]
			}
			if !yield(strings.ToLower(text[at[2]:at[3]]), auditActions(text[at[1]:end])) {
				return
			}
		}
	}
}

// auditActions are the words of a list of actions, but for None.
func auditActions(text string) []string {
	words := strings.FieldsFunc(text, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
	return slices.DeleteFunc(words, func(w string) bool { return strings.EqualFold(w, "None") })
}
