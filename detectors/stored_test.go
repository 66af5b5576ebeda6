package detectors

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// What is stored is read as it was, also what builds stored that had the record
// within the JSON.
func TestStoredMatchIsReadAsItWas(t *testing.T) {
	e := engineOf(t, nil, tlsRule)
	f := Finding{Rule: &e.rules[0].Meta, State: tellsValues, Tenant: "t", Subject: "a\x00b", Time: noon, provisional: provisional{Told: map[string][]string{"tls": {"1.2"}}}}
	f.Evidence = Evidence{EventID: "azure-activity/1", Time: noon, Enqueued: noon.Add(time.Second)}
	for _, record := range []string{"", `{"a":"b"}`, "\x00 a record that was never JSON \x00"} {
		if f.Evidence.Record = nil; record != "" {
			f.Evidence.Record = []byte(record)
		}
		want := Match{Finding: f, feeds: []byte("\x00fed"), failed: []byte{0}, silent: true}
		now, err := storeMatch(&want)
		if err != nil {
			t.Fatal(err)
		}
		bare := f
		bare.Rule = nil
		before, err := json.Marshal(storedMatch{Finding: bare, Rule: f.Rule.Entry, Record: f.Evidence.Record, Feeds: want.feeds, Failed: want.failed, Silent: true})
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{"now": now, "before": before} {
			got, err := e.readMatch(data)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(Match{}, Finding{}, provisional{}), cmpopts.EquateEmpty()); diff != "" || err != nil {
				t.Errorf("stored %s, record %q: %v (-want +got):\n%s", name, record, err, diff)
			}
		}
	}
}
