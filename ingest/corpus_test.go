package ingest

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// corpus returns the folder of published events, which is no part of this
// repository.
func corpus(t testing.TB) string {
	dir := filepath.Join("..", "..", "shared", "corpus")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("PHIWATCH_REQUIRE_ALL") == "1" {
			t.Fatalf("published events: %v", err)
		}
		t.Skipf("published events are not here: %v", err)
	}
	return dir
}

// payloads returns the lines of every .jsonl file of the corpus, by family.
func payloads(t testing.TB) map[string][][]byte {
	files, err := filepath.Glob(filepath.Join(corpus(t), "*", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no published events: %v", err)
	}
	out := map[string][][]byte{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		family := filepath.Base(filepath.Dir(file))
		lines := bufio.NewScanner(bytes.NewReader(b))
		lines.Buffer(nil, MaxBody)
		for lines.Scan() {
			if line := bytes.TrimSpace(lines.Bytes()); len(line) > 0 {
				out[family] = append(out[family], bytes.Clone(line))
			}
		}
	}
	return out
}

func TestPublishedEventsAreClassified(t *testing.T) {
	type counts map[string]int
	want := map[string]counts{
		"azure-activity":      {"azure-activity": 24, "entra-noninteractive-signin": 4},
		"defender-xdr":        {"m365-audit": 6, "unknown": 107},
		"entra-audit":         {"entra-audit": 117},
		"entra-signin":        {"entra-signin": 17, "entra-noninteractive-signin": 18, "entra-service-principal-signin": 11, "entra-managed-identity-signin": 34},
		"identity-protection": {"entra-risk": 7},
		"o365-management":     {"m365-audit": 2078, "unknown": 2},
		"other": {"azure-activity": 20, "entra-audit": 12, "entra-signin": 13, "entra-noninteractive-signin": 1, "entra-service-principal-signin": 2,
			"entra-managed-identity-signin": 1, "intune": 9, "key-vault": 34, "unknown": 20, "repaired quotes": 1},
		"provisioning": {"unknown": 3},
	}
	got := map[string]counts{}
	for family, lines := range payloads(t) {
		got[family] = counts{}
		d := NewDecoder()
		for i, line := range lines {
			d.Decode(Message{Body: line}, func(e *Event) {
				got[family][e.Kind.String()]++
				for _, name := range e.Repaired.Names() {
					got[family]["repaired "+name]++
				}
			}, func(q Quarantined) { t.Errorf("%s %d: %s: %s", family, i, q.Reason, q.Detail) })
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// Almost every published record of a known kind says when, what, who and by
// which id; the stubs among them do not.
func TestPublishedEventsAreComplete(t *testing.T) {
	missing := map[string]int{}
	known := 0
	for _, lines := range payloads(t) {
		d := NewDecoder()
		for _, line := range lines {
			d.Decode(Message{Body: line}, func(e *Event) {
				if e.Kind == Unknown {
					return
				}
				known++
				for what, is := range map[string]bool{
					"id": e.ID != "", "time": !e.Time.IsZero(), "op": e.Op != "", "tenant": e.Tenant != "",
					"outcome": e.Outcome != OutcomeUnknown, "actor": e.Actor != Principal{}, "target": e.Target != Principal{}, "ip": e.IP.IsValid(),
				} {
					if !is {
						missing[what]++
					}
				}
			}, func(Quarantined) {})
		}
	}
	want := map[string]int{"actor": 83, "id": 27, "ip": 1500, "op": 47, "outcome": 71, "target": 375, "tenant": 187, "time": 16}
	if diff := cmp.Diff(want, missing); diff != "" {
		t.Errorf("of %d: -want +got\n%s", known, diff)
	}
}

func TestPublishedDamageIsRepaired(t *testing.T) {
	want := map[string][]string{
		"msdocs-aipfiledeleted-backslashes.raw":   {"m365-audit escapes"},
		"o365-parameter-string-1.raw":             {"m365-audit inner-quotes"},
		"o365-parameter-string-2.raw":             {"m365-audit escapes,inner-quotes"},
		"platformlogs-concatenated-records.raw":   {"unknown joined", "unknown joined"},
		"platformlogs-single-quotes-object-2.raw": {"unknown quotes"},
		"platformlogs-single-quotes-object.raw":   {"unknown quotes"},
		"platformlogs-single-quotes-string.raw":   {"unknown quotes"},
	}
	files, err := filepath.Glob(filepath.Join(corpus(t), "malformed", "*.raw"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		NewDecoder().Decode(Message{Body: b}, func(e *Event) {
			got[name] = append(got[name], e.Kind.String()+" "+e.Repaired.String())
		}, func(q Quarantined) { t.Errorf("%s: %s: %s", name, q.Reason, q.Detail) })
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
