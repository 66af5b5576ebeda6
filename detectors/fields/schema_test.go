package fields

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"phiwatch/ingest"
)

func TestSlipsOfThePen(t *testing.T) {
	known := names("Operation ClientIP UserId Folder ObjectName targetResources")
	for word, want := range map[string]string{
		"opperation": "Operation", "operaton": "Operation", "opeartion": "Operation", "targetresource": "", "targetresorces": "targetResources",
		"clientips": "", "userip": "", "folders": "", "object1name": "", "user_id": "", "peration": "", "operatio": "", "operation1": "",
	} {
		if got := slip(word, known); got != want {
			t.Errorf("slip(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestWordsCloseToAKnownOne(t *testing.T) {
	known := names("operationName resultType Workload")
	for word, want := range map[string]string{
		"operatonname": "operationName", "oprationnames": "operationName", "opreationname": "operationName", "operation": "",
		"resulttypes": "resultType", "wrkload": "Workload", "workflow": "", "x": "",
	} {
		if got := near(word, known, 2); got != want {
			t.Errorf("near(%q) = %q, want %q", word, got, want)
		}
	}
}

// What records have is never called unknown.
func TestPublishedRecordsHaveNoUnknownFields(t *testing.T) {
	files, err := filepath.Glob("../../../shared/corpus/*/*.jsonl")
	if err != nil || len(files) == 0 {
		if os.Getenv("PHIWATCH_REQUIRE_ALL") == "1" {
			t.Fatalf("published events are not here (%v)", err)
		}
		t.Skipf("published events are not here (%v)", err)
	}
	told := map[string]bool{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(file) == "otrf-simuland-aadaudit.jsonl" {
			continue // rows of a query, which made columns of its own
		}
		for line := range bytes.Lines(data) {
			ingest.NewDecoder().Decode(ingest.Message{Body: bytes.TrimSpace(line)}, func(ev *ingest.Event) {
				m := kindMappings[ev.Kind]
				var record map[string]json.RawMessage
				if m == nil || json.Unmarshal(ev.Doc.Raw(), &record) != nil {
					return
				}
				var properties map[string]json.RawMessage
				if json.Unmarshal(record["properties"], &properties) == nil && ev.Kind == ingest.M365Audit {
					record = properties // CloudAppEvents: the record's own members are deeper
					if json.Unmarshal(properties["RawEventData"], &record) != nil {
						return
					}
				}
				for name := range properties {
					record["properties."+name] = nil
				}
				for name := range record {
					if meant, doubtful := m.Doubtful(m.Rename(name)); doubtful && !told[name] {
						told[name] = true
						t.Errorf("%s: %q is called unknown, meant %q (%s)", ev.Kind, name, meant, filepath.Base(file))
					}
				}
			}, func(ingest.Quarantined) {})
		}
	}
}
