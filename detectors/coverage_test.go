package detectors

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"phiwatch/detectors/rules"
	"phiwatch/ingest"
)

// emptyLists are the operator lists of the catalog, unset.
func emptyLists() map[string][]string {
	lists := map[string][]string{}
	for _, name := range []string{"phi_labels", "label_order", "phi_apps", "phi_sites", "phi_resources", "phi_vaults", "cmk_keys",
		"emergency_accounts", "trusted_operators", "accepted_domains", "legal_staff", "ca_exclusion_groups"} {
		lists[name] = []string{}
	}
	return lists
}

func catalogSet(t *testing.T, lists map[string][]string) map[string]*Rule {
	t.Helper()
	set, err := Load(lists, Source{FS: rules.FS})
	if err != nil {
		t.Fatal(err)
	}
	byEntry := map[string]*Rule{}
	for _, r := range set.Rules {
		byEntry[r.Entry] = r
	}
	return byEntry
}

func TestEverySeedIsWatched(t *testing.T) {
	watched := map[string]bool{}
	known := map[string]bool{}
	for _, s := range Seeds() {
		if known[s.Code] || s.System == "" || s.Safeguard == "" || len(s.HIPAA) == 0 {
			t.Errorf("seed %s stands twice or is not complete", s.Code)
		}
		known[s.Code] = true
	}
	if len(known) != 23 {
		t.Errorf("%d seeds, want 23", len(known))
	}
	for entry, r := range catalogSet(t, emptyLists()) {
		for _, code := range r.Safeguards {
			watched[code] = true
			if !known[code] {
				t.Errorf("%s: no seed has the code %s", entry, code)
			}
		}
	}
	for code := range known {
		if !watched[code] {
			t.Errorf("no rule watches %s", code)
		}
	}
}

func TestEveryKindHasAFeed(t *testing.T) {
	var got []ingest.Kind
	for _, f := range Feeds() {
		got = append(got, f.Kind)
		if f.Name == "" || f.Setting == "" || len(f.Categories) == 0 {
			t.Errorf("%s: the feed is not complete", f.Kind)
		}
	}
	if diff := cmp.Diff(ingest.Kinds()[1:], got); diff != "" { // all but unknown
		t.Error(diff)
	}
}

func TestRulesSayWhatTheyRead(t *testing.T) {
	var (
		signIns = []ingest.Kind{ingest.EntraSignIn, ingest.EntraNonInteractiveSignIn}
		audits  = []ingest.Kind{ingest.EntraAudit}
		vaults  = []ingest.Kind{ingest.KeyVault}
		m365    = []ingest.Kind{ingest.M365Audit}
	)
	catalog := catalogSet(t, emptyLists())
	tests := map[string]struct {
		kinds, restore []ingest.Kind
		lists          []string
		blind          bool
	}{
		"ca-policy-disabled": {kinds: audits, restore: audits},
		"signin-break-glass": {kinds: signIns, lists: []string{"emergency_accounts"}, blind: true},
		"label-downgraded":   {kinds: m365, restore: m365, lists: []string{"label_order", "phi_labels"}},
		"kv-key-deleted":     {kinds: vaults, restore: vaults, lists: []string{"cmk_keys"}},
		"mfa-fatigue":        {kinds: signIns},
		// Its log source is all of Azure, its operations are of two feeds.
		"kv-vault-removed": {kinds: []ingest.Kind{ingest.AzureActivity, ingest.KeyVault}, restore: []ingest.Kind{ingest.AzureActivity, ingest.KeyVault}},
		// A correlation reads what the rules that it names read.
		"label-mass-removal": {kinds: m365, lists: []string{"label_order", "phi_labels"}},
	}
	for entry, tt := range tests {
		t.Run(entry, func(t *testing.T) {
			r := catalog[entry]
			if r == nil {
				t.Fatal("not in the catalog")
			}
			if diff := cmp.Diff(tt.kinds, r.Kinds()); diff != "" {
				t.Errorf("kinds: %s", diff)
			}
			if diff := cmp.Diff(tt.restore, r.RestoreKinds()); diff != "" {
				t.Errorf("kinds of the restore: %s", diff)
			}
			if diff := cmp.Diff(tt.lists, r.Lists()); diff != "" {
				t.Errorf("lists: %s", diff)
			}
			if r.Blind() != tt.blind {
				t.Errorf("blind %v, want %v", r.Blind(), tt.blind)
			}
		})
	}
}

func TestListsAreReadOfEveryPartOfARule(t *testing.T) {
	const rule = `
title: all the ways to name a list
logsource: {product: azure, service: auditlogs}
detection:
  selection:
    operationName|contains|expand: ['%a_list% of %b_list%']
    lowered.c_list.properties.x,properties.y: true
  condition: selection
safeguard:
  entry: lists
  subject: properties.targetResources.id
  regained: {lost: properties.x, now: properties.y, order: e_list, among: f_list}
  restored:
    selection:
      outside.g_list.properties.x|exists: true
      properties.category: '%not_a_list%'
    condition: selection
  severity:
    - level: high
      detection:
        selection:
          - rank.h_list.properties.x|gte: 1
          - operationName|expand: '%i_list%'
        condition: selection
  runbook: ['run %this%']
`
	const filter = `
title: a filter
logsource: {product: azure, service: auditlogs}
filter:
  rules: any
  selection: {properties.initiatedBy.user.id|expand: '%d_list%'}
  condition: not selection
`
	lists := map[string][]string{}
	for _, c := range "abcdefghi" {
		lists[string(c)+"_list"] = []string{"x"}
	}
	set, err := Load(lists, Source{FS: fstest.MapFS{"g/lists.yml": {Data: []byte(rule)}, "g/filter.yml": {Data: []byte(filter)}}})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for name := range lists {
		want = append(want, name)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, set.Rules[0].Lists()); diff != "" {
		t.Error(diff)
	}
}

func TestRulesThatListsLeaveBlind(t *testing.T) {
	unset := catalogSet(t, emptyLists())
	lists := emptyLists()
	for name := range lists {
		lists[name] = []string{"made-up@example.org"}
	}
	set := catalogSet(t, lists)
	var blind []string
	for entry, r := range unset {
		if r.Blind() {
			blind = append(blind, entry)
			if len(r.Lists()) == 0 {
				t.Errorf("%s is blind and reads no list", entry)
			}
		}
		if set[entry].Blind() {
			t.Errorf("%s is blind with every list set", entry)
		}
	}
	slices.Sort(blind)
	for _, entry := range []string{"signin-break-glass", "signin-single-factor-phi-app"} {
		if !slices.Contains(blind, entry) {
			t.Errorf("%s needs a list and is not among the blind: %s", entry, strings.Join(blind, ", "))
		}
	}
	if app := "signin-single-factor-phi-app"; !unset[app].BlindToRestore() || set[app].BlindToRestore() {
		t.Errorf("%s is restored by a sign-in to an application of phi_apps, and by nothing without", app)
	}
}

func TestCorrelationsAreBlindWithWhatTheyRelate(t *testing.T) {
	const base = `
title: %[1]s
name: %[1]s
logsource: {product: azure, service: auditlogs}
detection:
  selection: {%[2]s}
  condition: selection
---
`
	tests := map[string]struct {
		correlation string
		want        bool
	}{
		"both have to match":       {"type: temporal, rules: [sees, blind]", true},
		"both have to match, done": {"type: temporal, rules: [sees, sees-too]", false},
		"either counts":            {"type: event_count, rules: [sees, blind], condition: {gte: 3}", false},
		"only a blind one counts":  {"type: event_count, rules: [blind], condition: {gte: 3}", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text := fmt.Sprintf(base, "sees", "operationName: a") + fmt.Sprintf(base, "sees-too", "operationName: b") +
				fmt.Sprintf(base, "blind", "operationName|expand: '%mine%'") + `
title: related
correlation: {` + tt.correlation + `, group-by: [tenantId], timespan: 5m}
level: high
`
			set, err := Load(map[string][]string{"mine": {}}, Source{FS: fstest.MapFS{"g/related.yml": {Data: []byte(text)}}})
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(set.Rules, func(r *Rule) bool { return r.correlation != nil })
			if got := set.Rules[i].Blind(); got != tt.want {
				t.Errorf("blind %v, want %v", got, tt.want)
			}
		})
	}
}
