package detectors

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/detectors/rules"
	"phiwatch/ingest"
)

// packRule is a rule about one operation.
func packRule(entry, operation, codes, tags string) string {
	return fmt.Sprintf(`
title: %[1]s
logsource: {product: azure, service: auditlogs}
detection:
  selection: {operationName: %[2]s}
  condition: selection
level: medium
tags: [%[4]s]
safeguard:
  entry: %[1]s
  codes: [%[3]s]
  subject: properties.targetResources.id
  unknown: low
  restored:
    selection: {operationName: %[2]s back}
    condition: selection
  severity:
    - level: critical
      detection: {selection: {tenantId: t1}, condition: selection}
`, entry, operation, codes, tags)
}

const packCorrelation = `
title: again and again
correlation: {type: event_count, rules: [mfa-off], group-by: [tenantId], timespan: 10m, condition: {gte: 2}}
level: low
safeguard: {entry: mfa-off-often, codes: [MFA]}
`

func packSet(t *testing.T) *Set {
	t.Helper()
	files := fstest.MapFS{
		"authentication/mfa-off.yml":       {Data: []byte(packRule("mfa-off", "MFA off", "MFA, CA", "attack.t1556.006"))},
		"authentication/ca-off.yml":        {Data: []byte(packRule("ca-off", "CA off", "CA", "attack.t1556.009"))},
		"audit/log-off.yml":                {Data: []byte(packRule("log-off", "Log off", "AUDIT", "attack.t1562.008"))},
		"authentication/mfa-off-often.yml": {Data: []byte(packCorrelation)},
	}
	set, err := Load(nil, Source{FS: files})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestTuneDisables(t *testing.T) {
	tests := map[string]struct {
		disable, enable []string
		want            []string // "entry by selector"
	}{
		"nothing":                      {want: nil},
		"an entry":                     {disable: []string{"entry:log-off"}, want: []string{"log-off by entry:log-off"}},
		"an entry in another case":     {disable: []string{"entry: LOG-off"}, want: []string{"log-off by entry: LOG-off"}},
		"a second code":                {disable: []string{"safeguard:ca"}, want: []string{"ca-off by safeguard:ca", "mfa-off by safeguard:ca"}},
		"a technique and those below":  {disable: []string{"tag:attack.t1556"}, want: []string{"ca-off by tag:attack.t1556", "mfa-off by tag:attack.t1556"}},
		"a sub-technique":              {disable: []string{"tag:attack.t1556.009"}, want: []string{"ca-off by tag:attack.t1556.009"}},
		"a group with its correlation": {disable: []string{"group:authentication"}, want: []string{"ca-off by group:authentication", "mfa-off by group:authentication", "mfa-off-often by group:authentication"}},
		"all but one": {disable: []string{"all"}, enable: []string{"entry:log-off"},
			want: []string{"ca-off by all", "mfa-off by all", "mfa-off-often by all"}},
		"an entry of an enabled safeguard": {disable: []string{"entry:mfa-off"}, enable: []string{"safeguard:MFA"}, want: []string{"mfa-off by entry:mfa-off"}},
		"enable wins among equals":         {disable: []string{"safeguard:CA"}, enable: []string{"safeguard:MFA"}, want: []string{"ca-off by safeguard:CA"}},
		"the most particular is named":     {disable: []string{"all", "entry:ca-off", "group:authentication"}, enable: []string{"safeguard:MFA", "safeguard:AUDIT"}, want: []string{"ca-off by entry:ca-off"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			set := packSet(t)
			if err := set.Tune(Pack{Disable: tt.disable, Enable: tt.enable}); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range set.Disabled {
				got = append(got, r.Entry+" by "+r.DisabledBy())
			}
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if len(set.Rules)+len(set.Disabled) != 4 {
				t.Errorf("%d rules and %d disabled, want 4 together", len(set.Rules), len(set.Disabled))
			}
		})
	}
}

// findingsOf matches and applies audit records of the operations, one batch.
func findingsOf(t *testing.T, set *Set, operations ...string) []string {
	t.Helper()
	e, err := New(set, NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	var matches []Match
	for i, op := range operations {
		body := fmt.Sprintf(`{"time":"2026-09-14T08:00:0%[1]dZ","category":"AuditLogs","operationName":%[2]q,"tenantId":"t1","properties":{"id":"%[1]d","activityDateTime":"2026-09-14T08:00:0%[1]dZ","result":"success","targetResources":[{"id":"subject"}]}}`, i, op)
		ingest.NewDecoder().Decode(ingest.Message{Body: []byte(body)}, func(ev *ingest.Event) { matches = e.Match(ev, matches) }, func(q ingest.Quarantined) { t.Fatal(q.Detail) })
	}
	tx, err := openDB(t).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	findings, err := e.Apply(t.Context(), tx, matches)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range findings {
		out = append(out, fmt.Sprintf("%s %s %s", f.Rule.Entry, f.State, f.Severity))
	}
	return slices.Compact(out)
}

func TestDisabledRulesFindNothing(t *testing.T) {
	tests := map[string]struct {
		disable []string
		want    []string
		warning string
	}{
		"all in force":      {want: []string{"mfa-off weakened low", "mfa-off-often incident low"}},
		"the rule":          {disable: []string{"entry:mfa-off"}, warning: `names "mfa-off", which entry:mfa-off disables`},
		"the correlation":   {disable: []string{"entry:mfa-off-often"}, want: []string{"mfa-off weakened low"}},
		"both, and no word": {disable: []string{"safeguard:MFA"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			set := packSet(t)
			if err := set.Tune(Pack{Disable: tt.disable}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, findingsOf(t, set, "MFA off", "MFA off")); diff != "" {
				t.Error(diff)
			}
			warnings := errors.Join(set.Warnings...)
			if (warnings != nil) != (tt.warning != "") || warnings != nil && !strings.Contains(warnings.Error(), tt.warning) {
				t.Errorf("warnings %v, want %q", warnings, tt.warning)
			}
		})
	}
}

func TestTuneSetsSeverities(t *testing.T) {
	tests := map[string]struct {
		severity map[string]string
		want     string // of a change that follows a strong value
	}{
		"none: the rule's condition":         {nil, "critical"},
		"an entry, whatever its conditions":  {map[string]string{"entry:mfa-off": "high"}, "high"},
		"entry before safeguard":             {map[string]string{"entry:mfa-off": "info", "safeguard:MFA": "high"}, "info"},
		"safeguard before tag":               {map[string]string{"safeguard:CA": "low", "tag:attack.t1556": "critical"}, "low"},
		"group before all":                   {map[string]string{"group:authentication": "low", "all": "critical"}, "low"},
		"the more severe of two tags":        {map[string]string{"tag:attack": "high", "tag:attack.t1556": "low"}, "high"},
		"the more severe of tag and group":   {map[string]string{"tag:attack": "low", "group:authentication": "high"}, "high"},
		"the more severe of two safeguards":  {map[string]string{"safeguard:MFA": "medium", "safeguard:CA": "informational"}, "medium"},
		"a level that another selector gave": {map[string]string{"entry:ca-off": "low"}, "critical"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			set := packSet(t)
			if err := set.Tune(Pack{Severity: tt.severity, Disable: []string{"entry:mfa-off-often"}}); err != nil {
				t.Fatal(err)
			}
			got := findingsOf(t, set, "MFA off back", "MFA off")
			if len(got) != 2 || got[1] != "mfa-off weakened "+tt.want {
				t.Errorf("got %v, want one of severity %s", got, tt.want)
			}
		})
	}
}

func TestTuneSetsSeverityOfCorrelations(t *testing.T) {
	set := packSet(t)
	if err := set.Tune(Pack{Severity: map[string]string{"entry:mfa-off-often": "critical"}}); err != nil {
		t.Fatal(err)
	}
	got := findingsOf(t, set, "MFA off", "MFA off")
	if !slices.Contains(got, "mfa-off-often incident critical") {
		t.Errorf("got %v", got)
	}
}

func TestTuneSaysWhatIsWrong(t *testing.T) {
	tests := map[string]struct {
		pack Pack
		want string
	}{
		"an entry misspelt":          {Pack{Disable: []string{"entry:log-of"}}, `disable.0: no rule has entry "log-of"; did you mean entry:log-off?`},
		"an entry like no other":     {Pack{Disable: []string{"all", "entry:x"}}, `disable.1: no rule has entry "x": see phiwatch rules list`},
		"a safeguard unknown":        {Pack{Enable: []string{"safeguard:TDE"}}, `enable.0: no rule has safeguard "tde": use one of AUDIT, CA, MFA`},
		"a tag misspelt":             {Pack{Disable: []string{"tag:attack.t1556.06"}}, `did you mean tag:attack.t1556.006?`},
		"a group misspelt":           {Pack{Disable: []string{"group:audits"}}, `did you mean group:audit?`},
		"a kind misspelt":            {Pack{Disable: []string{"enty:log-off"}}, `"enty:log-off" is no selector; did you mean entry:log-off?`},
		"an entry without kind":      {Pack{Disable: []string{"log-off"}}, `"log-off" is no selector; did you mean entry:log-off?`},
		"a safeguard without kind":   {Pack{Disable: []string{"mfa"}}, `did you mean safeguard:MFA?`},
		"nothing that is known":      {Pack{Disable: []string{"everything"}}, `write entry:NAME, safeguard:CODE, group:NAME, tag:NAME or all`},
		"a kind without value":       {Pack{Disable: []string{"entry:"}}, `"entry:" is no selector`},
		"by the clock, misspelt":     {Pack{Disable: []string{"entry:stream-silense"}}, `disable.0: no rule has entry "stream-silense"; did you mean entry:stream-silence?`},
		"in both lists":              {Pack{Disable: []string{"entry:ca-off"}, Enable: []string{"safeguard:MFA", "entry:CA-off"}}, `enable.1: stands in disable too; keep one`},
		"a level that is none":       {Pack{Severity: map[string]string{"all": "severe"}}, `severity.all: level "severe": use informational, low, medium, high or critical`},
		"no level":                   {Pack{Severity: map[string]string{"all": ""}}, `severity.all: has no level`},
		"a severity of nothing":      {Pack{Severity: map[string]string{"entry:log-of": "low"}}, `severity.entry:log-of: no rule has entry "log-of"; did you mean`},
		"a severity without a rule":  {Pack{Severity: map[string]string{"log-off": "low"}}, `severity.log-off: "log-off" is no selector; did you mean entry:log-off?`},
		"several mistakes, all told": {Pack{Disable: []string{"entry:a"}, Enable: []string{"entry:b"}}, `enable.0`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := packSet(t).Tune(tt.pack, tended...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			var pe *PackError
			if !errors.As(err, &pe) || len(pe.Path) != 2 {
				t.Errorf("%v says not where it stands", err)
			}
		})
	}
}

// TestFiltersNameARuleByItsEntry holds a filter to the name that everybody uses
// for a rule of the catalog.
func TestFiltersNameARuleByItsEntry(t *testing.T) {
	const filter = `
title: planned
logsource: {product: azure, service: auditlogs}
filter:
  rules: [ca-off]
  selection: {properties.id: '1'}
  condition: not selection
`
	set, err := Load(nil, Source{FS: fstest.MapFS{
		"a/ca-off.yml": {Data: []byte(packRule("ca-off", "CA off", "CA", ""))},
		"a/ca-out.yml": {Data: []byte(packRule("ca-out", "CA out", "CA", ""))},
		"a/filter.yml": {Data: []byte(filter)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ca-out weakened low", "ca-off weakened low"}
	if diff := cmp.Diff(want, findingsOf(t, set, "CA out", "CA off", "CA off")); diff != "" {
		t.Error(diff)
	}
}

// TestTuneReachesEveryStepOfACorrelation tunes an entry of the catalog that
// several documents of one file make up, and plays its test events.
func TestTuneReachesEveryStepOfACorrelation(t *testing.T) {
	const entry, file = "mfa-fatigue", "stateful/mfa-fatigue.yml"
	scenario, err := ReadScenario(rules.FS, file)
	if err != nil {
		t.Fatal(err)
	}
	play := func(p Pack) string {
		set, err := Load(emptyLists(), Source{FS: rules.FS})
		if err != nil {
			t.Fatal(err)
		}
		if err := set.Tune(p); err != nil {
			t.Fatal(err)
		}
		all := slices.Concat(set.Rules, set.Disabled)
		i := slices.IndexFunc(all, func(r *Rule) bool { return r.Entry == entry })
		e, err := New(set, NewMetrics(prometheus.NewRegistry()))
		if err != nil {
			t.Fatal(err)
		}
		tx, err := openDB(t).BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		lines, err := e.Play(t.Context(), tx, all[i], scenario, nil)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(lines, "\n")
	}
	if got := play(Pack{}); !strings.Contains(got, "incident medium") || !strings.Contains(got, "incident critical") {
		t.Fatalf("the scenario has not both steps:\n%s", got)
	}
	if got := play(Pack{Disable: []string{"entry:" + entry}}); strings.Contains(got, "incident") {
		t.Errorf("disabled, and yet:\n%s", got)
	}
	if got := play(Pack{Severity: map[string]string{"entry:" + entry: "low"}}); !strings.Contains(got, "incident low") || strings.Contains(got, "incident medium") || strings.Contains(got, "incident critical") {
		t.Errorf("not all low:\n%s", got)
	}
}
