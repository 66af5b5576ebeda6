package detectors

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/prometheus/client_golang/prometheus"
)

// benchSource is a log source of generated rules with fields that its records
// have, and operations as they are called there.
type benchSource struct {
	logsource  string
	operation  string
	operations []string
	fields     []string
}

var benchSources = []benchSource{
	{"product: azure, service: signinlogs", "properties.appDisplayName",
		[]string{"Legacy portal", "Azure Active Directory PowerShell", "Microsoft Azure CLI", "Graph Explorer", "Records archive"},
		[]string{"properties.clientAppUsed: [IMAP4, POP3]", "properties.userAgent|contains: [python-requests, axios, 'curl/']", "resultType: ['50053', '50126']",
			"properties.location.countryOrRegion: [KP, IR]", "properties.riskLevelDuringSignIn: high", "callerIpAddress|cidr: 192.0.2.0/24",
			"properties.deviceDetail.trustType: ''", "properties.authenticationRequirement: singleFactorAuthentication", "properties.userPrincipalName|endswith: '@contractor.example.net'"}},
	{"product: azure, service: auditlogs", "operationName",
		[]string{"Add member to role", "Update conditional access policy", "Delete user", "Consent to application", "Reset password", "Add owner to application"},
		[]string{"properties.result: success", "properties.loggedByService: Core Directory", "properties.targetResources.type: [Policy, ServicePrincipal]",
			"properties.initiatedBy.app.displayName|startswith: Sync", "modified.AccountEnabled.new: false", "properties.targetResources.displayName|contains: break-glass"}},
	{"product: azure, service: activitylogs", "operationName",
		[]string{"Microsoft.Storage/storageAccounts/delete", "Microsoft.Network/networkSecurityGroups/write", "Microsoft.Authorization/roleAssignments/write", "Microsoft.Insights/diagnosticSettings/delete"},
		[]string{"resultType: Success", "resourceId|contains: '/resourceGroups/phi-'", "identity.authorization.evidence.role: Owner", "callerIpAddress|startswith: '192.0.2.'"}},
	{"product: m365, service: audit", "Operation",
		[]string{"Set-Mailbox", "New-InboxRule", "Add-MailboxPermission", "FileDownloaded", "SharingSet", "Disable-TransportRule"},
		[]string{"Workload: [Exchange, SharePoint]", "ResultStatus: 'True'", "param.ForwardingSmtpAddress|exists: true", "UserId|endswith: '@contractor.example.net'", "ClientIP|startswith: '192.0.2.'"}},
}

// generatedRules makes n rules, the same each time: an operation that their log
// source has, or one that is not in the traffic, and up to two more conditions.
// Like written rules, few of them are about what most events say.
func generatedRules(n int, sources []benchSource) []string {
	r := rand.New(rand.NewPCG(3, 14))
	out := make([]string, n)
	for i := range out {
		s := sources[i%len(sources)]
		operation := s.operations[r.IntN(len(s.operations))]
		if i >= 8*len(s.operations) {
			operation = fmt.Sprintf("%s %d", operation, i)
		}
		conditions := []string{fmt.Sprintf("%s: %q", s.operation, operation)}
		for _, k := range r.Perm(len(s.fields))[:r.IntN(3)] {
			conditions = append(conditions, s.fields[k])
		}
		out[i] = fmt.Sprintf("title: Generated %d\nid: 00000000-0000-4000-8000-%012d\nlogsource: {%s}\ndetection:\n  s:\n    %s\n  condition: s\nlevel: low\n",
			i, i, s.logsource, strings.Join(conditions, "\n    "))
	}
	return out
}

// benchSigmaHQ reads the rules under $PHIWATCH_SIGMAHQ: those on Azure and
// Microsoft 365 first, then the others.
func benchSigmaHQ(tb testing.TB) []string {
	root := os.Getenv("PHIWATCH_SIGMAHQ")
	if root == "" {
		return nil
	}
	var ours, others []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".yml" {
			return err
		}
		data, err := os.ReadFile(name)
		if strings.Contains(name, "/cloud/azure/") || strings.Contains(name, "/cloud/m365/") {
			ours = append(ours, string(data))
		} else {
			others = append(others, string(data))
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return append(ours, others...)
}

// benchEngine builds an engine of n rules, SigmaHQ's or generated. Of one
// source, all of them read sign-ins, which most of the traffic is.
func benchEngine(tb testing.TB, n int, oneSource bool) *Engine {
	rules := benchSigmaHQ(tb)
	switch {
	case len(rules) >= n && oneSource:
		rules = slices.Clone(rules)
		for i := range rules {
			rules[i] = logSourceBlock(rules[i])
		}
	case len(rules) >= n:
	case oneSource:
		rules = generatedRules(n, benchSources[:1])
	default:
		rules = generatedRules(n, benchSources)
	}
	fsys := fstest.MapFS{}
	for i, text := range rules[:n] {
		fsys[fmt.Sprintf("bench/rule-%04d.yml", i)] = &fstest.MapFile{Data: []byte(text)}
	}
	set, err := Load(nil, Source{FS: fsys})
	if err != nil {
		tb.Fatal(err)
	}
	e, err := New(set, NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// logSourceBlock makes a rule read sign-ins.
func logSourceBlock(rule string) string {
	before, after, _ := strings.Cut(rule, "\nlogsource:")
	end := strings.Index(after, "\ndetection:")
	if end < 0 {
		return before + "\nlogsource: {product: azure, service: signinlogs}\n" + skipBlock(after)
	}
	return before + "\nlogsource: {product: azure, service: signinlogs}" + after[end:]
}

// skipBlock drops indented lines at the start.
func skipBlock(s string) string {
	for {
		_, s, _ = strings.Cut(s, "\n")
		if s == "" || s[0] != ' ' {
			return s
		}
	}
}
