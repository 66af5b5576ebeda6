package detectors

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/ingest"
)

// engineOf builds an engine from rule texts.
func engineOf(t *testing.T, lists map[string][]string, rules ...string) *Engine {
	t.Helper()
	fsys := fstest.MapFS{}
	for i, r := range rules {
		fsys[fmt.Sprintf("audit/rule-%d.yml", i)] = &fstest.MapFile{Data: []byte(r)}
	}
	set, err := Load(lists, Source{FS: fsys})
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(set, NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const tlsRule = `
title: Minimum TLS version lowered
id: 5d0f1c1e-0000-4000-8000-000000000001
logsource: {product: azure, service: activitylogs}
detection:
  selection:
    operationName: Microsoft.Storage/storageAccounts/write
    body.properties.minimumTlsVersion: [TLS1_0, TLS1_1]
  condition: selection
level: high
safeguard:
  entry: tls
  subject: resourceId
  unknown: medium
  restored:
    selection:
      operationName: Microsoft.Storage/storageAccounts/write
      body.properties.minimumTlsVersion: TLS1_2
    condition: selection
`

// activity makes one Activity record. An empty tls leaves the request out.
func activity(time, correlation, result, tls string) string {
	body := ""
	if tls != "" {
		body = fmt.Sprintf(`,"requestbody":"{\"properties\":{\"minimumTlsVersion\":\"%s\"}}"`, tls)
	}
	return fmt.Sprintf(`{"time":%q,"category":"Administrative","operationName":"MICROSOFT.STORAGE/STORAGEACCOUNTS/WRITE","resultType":%q,`+
		`"correlationId":%q,"tenantId":"t","resourceId":"/SUBSCRIPTIONS/S/STORAGEACCOUNTS/A","properties":{"eventCategory":"Administrative"%s}}`, time, result, correlation, body)
}

// outcome applies payloads, each a batch of its own, and returns what a ledger
// would keep of the findings: for each event and state the highest severity.
func outcome(t *testing.T, e *Engine, db *sql.DB, payloads []string) []string {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	highest := map[string]Severity{}
	for _, p := range payloads {
		var matches []Match
		decodeAll(t, []byte(p), func(ev *ingest.Event) { matches = e.Match(ev, matches) })
		findings, err := e.Apply(t.Context(), tx, matches)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			key := fmt.Sprintf("%s %s %s", f.Time.Format("15:04"), f.State, f.Subject)
			highest[key] = max(highest[key], f.Severity)
		}
	}
	var out []string
	for key, severity := range highest {
		when, rest, _ := strings.Cut(key, " ")
		out = append(out, fmt.Sprintf("%s %s %s", when, severity, rest))
	}
	slices.Sort(out)
	return out
}

func TestRequestsAndResultsMeetInAnyOrder(t *testing.T) {
	e, db := engineOf(t, nil, tlsRule), openDB(t)
	const account = "/SUBSCRIPTIONS/S/STORAGEACCOUNTS/A"
	for name, c := range map[string]struct {
		events []string
		want   []string
	}{
		"start with the request, success without": {
			[]string{activity("2026-09-14T08:00:00Z", "c1", "Start", "TLS1_0"), activity("2026-09-14T08:01:00Z", "c1", "Success", "")},
			[]string{"08:01 medium weakened " + account},
		},
		"the request on both": {
			[]string{activity("2026-09-14T08:00:00Z", "c1", "Start", "TLS1_0"), activity("2026-09-14T08:01:00Z", "c1", "Success", "TLS1_0")},
			[]string{"08:01 medium weakened " + account},
		},
		"a failure changes nothing": {
			[]string{activity("2026-09-14T08:00:00Z", "c1", "Start", "TLS1_0"), activity("2026-09-14T08:01:00Z", "c1", "Failure", "")},
			nil,
		},
		"another operation's success": {
			[]string{activity("2026-09-14T08:00:00Z", "c1", "Start", "TLS1_0"), activity("2026-09-14T08:01:00Z", "c2", "Success", "")},
			nil,
		},
		"a start alone": {[]string{activity("2026-09-14T08:00:00Z", "c1", "Start", "TLS1_0")}, nil},
		"lowered from a known value": {
			[]string{
				activity("2026-09-14T07:00:00Z", "c0", "Success", "TLS1_2"),
				activity("2026-09-14T08:00:00Z", "c1", "Start", "TLS1_0"), activity("2026-09-14T08:01:00Z", "c1", "Success", ""),
			},
			[]string{"07:00 high restored " + account, "08:01 high weakened " + account},
		},
		"a strong value afterwards tells nothing of before": {
			[]string{activity("2026-09-14T08:00:00Z", "c1", "Success", "TLS1_1"), activity("2026-09-14T09:00:00Z", "c2", "Success", "TLS1_2")},
			[]string{"08:00 medium weakened " + account, "09:00 high restored " + account},
		},
	} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			for range 24 {
				events := slices.Clone(c.events)
				events = append(events, events[rng.IntN(len(events))]) // and repeated
				rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
				if diff := cmp.Diff(c.want, outcome(t, e, db, events)); diff != "" {
					t.Fatalf("order %q (-want +got):\n%s", events, diff)
				}
			}
		})
	}
}

func TestComputedFields(t *testing.T) {
	lists := map[string][]string{
		"accepted_domains": {"hospital.example.org"},
		"label_order":      {"public", "internal", "phi"},
	}
	const head = "title: x\nlogsource: {product: m365, service: audit}\nlevel: low\nid: 5d0f1c1e-0000-4000-8000-00000000000%d\nsafeguard: {entry: e%d, subject: Id, outcome: any}\ndetection:\n  selection:\n    %s\n  condition: selection\n"
	rule := func(n int, selection string) string { return fmt.Sprintf(head, n, n, selection) }
	e := engineOf(t, lists,
		rule(1, "outside.accepted_domains.param.BlindCopyTo|exists: true"),
		rule(2, "lowered.label_order.New,Old: true"),
		rule(3, "days.Retention|lt: 2190"),
		rule(4, "rank.label_order.New|gte: 2"),
	)
	for record, want := range map[string]string{
		`"Parameters":[{"Name":"BlindCopyTo","Value":"a@hospital.example.org;b@ward.hospital.example.org"}]`: "",
		`"Parameters":[{"Name":"BlindCopyTo","Value":"a@hospital.example.org;x@example.net"}]`:               "e1",
		`"New":"internal","Old":"PHI"`:     "e2",
		`"New":"PHI","Old":"internal"`:     "e4",
		`"New":"unknown","Old":"internal"`: "",
		`"Retention":"SixMonths"`:          "e3",
		`"Retention":"SevenYears"`:         "",
	} {
		var got []string
		payload := `{"Id":"1","Operation":"x","RecordType":1,"Workload":"Exchange","CreationTime":"2026-09-14T08:00:00",` + record + `}`
		decodeAll(t, []byte(payload), func(ev *ingest.Event) {
			for _, m := range e.Match(ev, nil) {
				got = append(got, m.Finding.Rule.Entry)
			}
		})
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %q", record, got, want)
		}
	}
}
