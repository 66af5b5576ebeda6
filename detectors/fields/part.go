package fields

import (
	"fmt"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// newPart returns what names a thing alike when it is made and when it is undone.
func newPart(arg string, _ map[string][]string) (computed, error) {
	switch arg {
	case "method":
		return methodPart{}, nil
	case "inbox_rule":
		return inboxRulePart{}, nil
	}
	return nil, fmt.Errorf("%q: write part.method or part.inbox_rule", arg)
}

// methodPart is the kind of sign-in method that security info was registered or
// deleted of. Records tell it in words only, and not always the same: “User
// registered Mobile Phone SMS”, “Admin deleted phone method for user”.
type methodPart struct{}

var reasonPath = document.MustCompile("properties.resultReason")

// methodWords are what tells a kind, in this order: phones have authenticators.
var methodWords = [...][2]string{
	{"authenticator", "authenticator"}, {"temporary access pass", "temporary access pass"},
	{"fido", "fido"}, {"passkey", "fido"}, {"security key", "fido"},
	{"oath", "oath"}, {"hardware token", "oath"}, {"software token", "oath"},
	{"email", "email"}, {"security question", "security questions"}, {"app password", "app password"}, {"hello", "hello"},
	{"phone", "phone"}, {"sms", "phone"}, {"voice", "phone"},
}

func (methodPart) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	reason := LowerASCII(ev.Doc.Text(reasonPath))
	for _, w := range methodWords {
		if strings.Contains(reason, w[0]) {
			return append(dst, sigma.Value{Kind: sigma.String, Text: w[1]})
		}
	}
	return dst
}

// inboxRulePart is MAILBOX\RULE of an inbox rule, MAILBOX\forwarding of what
// Set-Mailbox forwards. A new rule is told by its name, later by an identity that
// ends in it; where that ends in a number instead, the two are not the same.
type inboxRulePart struct{}

var (
	ruleNamePath = document.MustCompile("param.Name")
	identityPath = document.MustCompile("param.Identity")
	objectPath   = document.MustCompile("ObjectId")
	mailboxPath  = document.MustCompile("param.Mailbox")
	userPath     = document.MustCompile("UserId")
)

func (inboxRulePart) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	identity := firstText(ev, identityPath, objectPath)
	mailbox, rule := "", identity
	if i := strings.LastIndexByte(identity, '\\'); i >= 0 {
		mailbox, rule = strings.TrimRight(identity[:i], `\`), identity[i+1:]
	}
	switch ev.Op {
	case "set-mailbox":
		mailbox, rule = identity, "forwarding"
	case "new-inboxrule":
		if name := strings.TrimSpace(ev.Doc.Text(ruleNamePath)); name != "" {
			rule = name
		}
	}
	if named := firstText(ev, mailboxPath); named != "" {
		mailbox = named
	}
	if mailbox == "" {
		mailbox = firstText(ev, userPath)
	}
	if mailbox, rule = mailboxOf(mailbox), strings.TrimSpace(rule); mailbox == "" || rule == "" {
		return dst
	}
	return append(dst, sigma.Value{Kind: sigma.String, Text: mailbox + `\` + rule})
}

func firstText(ev *ingest.Event, paths ...*document.Path) string {
	for _, p := range paths {
		if text := strings.TrimSpace(ev.Doc.Text(p)); text != "" {
			return text
		}
	}
	return ""
}
