package detectors

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rogpeppe/go-internal/txtar"

	"phiwatch/detectors/rules"
	"phiwatch/ingest"
)

var update = flag.Bool("update", false, "rewrite the section want of testdata/mapping/*.txtar")

// compareWant holds lines against an archive's section want, its last one.
func compareWant(t *testing.T, a *txtar.Archive, file string, got []string) {
	t.Helper()
	want := &a.Files[len(a.Files)-1]
	if *update {
		want.Data = []byte(strings.Join(got, "\n") + "\n")
		if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(lines(want.Data), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// Rules with a safeguard key name paths: no mapping reads any of those in the
// catalog in another way, and every name is one that its log source has.
func TestMappingsLeaveTheCatalogAlone(t *testing.T) {
	set, err := Load(nil, Source{FS: rules.FS})
	if err != nil {
		t.Fatal(err)
	}
	text, names := catalogText(t), set.fields.Names()
	for _, r := range set.Rules {
		if r.subject == nil {
			continue // without a safeguard key: shared names are mapped
		}
		for _, h := range r.halves {
			for _, slot := range h.match.Slots() {
				if field := names[slot]; mappedField(field) || !bytes.Contains(text, []byte(field)) {
					t.Errorf("%s: field %q is not as the rule has it", r.File, field)
				}
			}
		}
	}
	for _, w := range set.Warnings {
		if strings.Contains(w.Error(), "is in no record of this log source") {
			t.Errorf("false warning: %v", w)
		}
	}
}

// catalogText returns the rule files of the catalog, one after the other.
func catalogText(t *testing.T) []byte {
	t.Helper()
	files, err := fs.Glob(rules.FS, "*/*.yml")
	var text []byte
	for _, file := range files {
		data, err := fs.ReadFile(rules.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, data...)
	}
	if err != nil || len(text) == 0 {
		t.Fatalf("read the catalog: %v", err)
	}
	return text
}

// archiveFS returns the files of an archive as a tree.
func archiveFS(a *txtar.Archive) fs.FS {
	tree := fstest.MapFS{}
	for _, f := range a.Files {
		tree[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return tree
}

func mappedField(field string) bool {
	return strings.HasPrefix(field, "mapped.") || strings.HasPrefix(field, "first.") || strings.HasPrefix(field, "any.")
}

func loadText(t *testing.T, rule string) (*Set, *Engine, *prometheus.Registry) {
	t.Helper()
	set, err := Load(nil, Source{FS: fstest.MapFS{"own/rule.yml": {Data: []byte(rule)}}})
	if err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	e, err := New(set, NewMetrics(reg))
	if err != nil {
		t.Fatal(err)
	}
	return set, e, reg
}

func TestRulesThatNeverMatchAreToldSo(t *testing.T) {
	rule := func(logsource, detection string) string {
		return "title: t\nid: x\nlogsource: {" + logsource + "}\ndetection: {" + detection + "}\n"
	}
	audit := "product: azure, service: auditlogs"
	for _, tt := range []struct {
		name, rule string
		reason     neverReason
		warning    string // part of the only one; "": none
	}{
		{"a column of another product", rule(audit, "s: {EventID: 4625}, condition: s"), neverField,
			`field "EventID" is in no record of this log source, so the rule never matches: name it as the record does, such as properties.EventID`},
		{"a slip of the pen", rule(audit, "s: {LogedByService: PIM}, condition: s"), neverField, `own/rule.yml:4:17: field "LogedByService" is in no record of this log source, so the rule never matches; did you mean "properties.loggedByService"?`},
		{"a slip in the properties", rule(audit, "s: {properties.targetResorces.id: x}, condition: s"), neverField, `did you mean "properties.targetResources"?`},
		{"a slip of the unified audit log", rule("product: m365, service: audit", "s: {Opperation: x}, condition: s"), neverField, `did you mean "Operation"?`},
		{"a field that only a filter needs", rule(audit, "s: {OperationName: x}, f: {EventID: 1}, condition: s and not f"), "",
			`field "EventID" is in no record of this log source: name it`},
		{"one of two selections", rule(audit, "s: {OperationName: x}, f: {EventID: 1}, condition: s or f"), "", `field "EventID" is in no record`},
		{"two selections, twice the same unknown field", rule(audit, "s: {EventID: 1}, f: {EventID: 2, Result: x}, condition: 1 of them"), neverField, `so the rule never matches`},
		{"a contradiction", rule(audit, "s: {OperationName: x}, condition: s and not s"), neverCondition, "contradicts itself"},
		{"another product", rule("product: windows, service: security", "s: {EventID: 1}, condition: s"), neverLogSource, "is not one phiwatch reads"},
		{"a category alone", rule("category: process_creation", "k: [mimikatz], condition: k"), neverLogSource, "is not one phiwatch reads"},
		{"a property that is new", rule(audit, "s: {properties.brandNewThing: x}, condition: s"), "", ""},
		{"a member of some record type", rule("product: m365, service: audit", "s: {FleetingMember: x}, condition: s"), "", ""},
		{"what a forwarder adds", rule(audit, "s: {'@timestamp': x}, condition: s"), "", ""},
		{"a mapped field", rule(audit, "s: {Initiatedby: UPN}, condition: s"), "", ""},
		{"a field of one of the product's logs", rule("product: azure", "s: {riskEventType: x}, condition: s"), "", ""},
		{"a slip beside a safeguard", rule(audit, "s: {Initatedby: x}, condition: s") + "safeguard: {entry: e, subject: tenant}\n", neverField, `did you mean "properties.initiatedBy"?`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set, e, reg := loadText(t, tt.rule)
			var got []string
			for _, w := range set.Warnings {
				got = append(got, w.Error())
			}
			if text := strings.Join(got, "\n"); (tt.warning == "") != (text == "") || !strings.Contains(text, tt.warning) || len(got) > 1 {
				t.Errorf("warnings %q, want one with %q", got, tt.warning)
			}
			if r := e.Rules()[0]; r.never != tt.reason {
				t.Errorf("never %q, want %q", r.never, tt.reason)
			}
			var want strings.Builder
			want.WriteString("# HELP phiwatch_rules_never_match Rules in force that can never match, by reason: log_source (not one that phiwatch reads), field (in no record of the log source), condition.\n# TYPE phiwatch_rules_never_match gauge\n")
			for _, reason := range neverReasons {
				n := "0"
				if reason == tt.reason {
					n = "1"
				}
				want.WriteString(`phiwatch_rules_never_match{reason="` + string(reason) + `"} ` + n + "\n")
			}
			if err := testutil.GatherAndCompare(reg, strings.NewReader(want.String()), "phiwatch_rules_never_match"); err != nil {
				t.Error(err)
			}
		})
	}
}

// A rule for other products must not be looked for in our records, whatever
// text it looks for.
func TestForeignRulesReadNothing(t *testing.T) {
	_, e, _ := loadText(t, "title: t\nid: x\nlogsource: {category: webserver}\ndetection: {k: [a, e], condition: k}\n")
	for _, s := range samples(t) {
		decodeAll(t, s.Body, func(ev *ingest.Event) {
			if found := e.Match(ev, nil); len(found) > 0 {
				t.Errorf("%s: a rule for web servers fires", s.Name)
			}
		})
	}
}

// A rule that is compiled for several kinds is explained by what it makes of
// the event at hand.
func TestExplainShowsTheViewThatReadsTheEvent(t *testing.T) {
	_, e, _ := loadText(t, "title: t\nid: x\nlogsource: {product: azure, service: activitylogs}\ndetection: {s: {operationName: MICROSOFT.KEYVAULT/VAULTS/KEYS/DELETE}, condition: s}\n")
	for _, s := range samples(t) {
		if s.Rule != "80eeab92-0979-4152-942d-96749e11df40" {
			continue
		}
		decodeAll(t, s.Body, func(ev *ingest.Event) {
			got := e.Explain(e.Rules()[0], ev)
			if want := strings.EqualFold(ev.Action, "KeyDelete"); len(got) != 1 || !got[0].Reads || got[0].Holds() != want {
				t.Errorf("%s: explained %d times, holds %v, want once, %v", s.Name, len(got), len(got) > 0 && got[0].Holds(), want)
			}
		})
	}
}
