package detectors

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"phiwatch/ingest"
	"phiwatch/ingest/hospital"
)

// traffic is a tenant's harmless records, in the proportions and sizes that
// performance targets are about, alone and fifty to a message.
type traffic struct {
	records  [][]byte
	messages []ingest.Message
	size     int
}

func newTraffic(n int) *traffic {
	h, t := hospital.New(1), &traffic{}
	at := time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)
	for range n {
		r := h.Record(at)
		t.records, t.size = append(t.records, r), t.size+len(r)
	}
	for i := 0; i < n; i += 50 {
		t.messages = append(t.messages, ingest.Message{Body: hospital.Message(t.records[i:min(n, i+50)]...)})
	}
	return t
}

// A pass handles every record of the traffic once.
type pass func()

func decodePass(tb testing.TB, t *traffic) pass {
	dec := ingest.NewDecoder()
	return func() {
		for _, m := range t.messages {
			dec.Decode(m, func(*ingest.Event) {}, quarantined(tb))
		}
	}
}

// matchPass decodes and matches.
func matchPass(tb testing.TB, t *traffic, e *Engine) pass {
	dec := ingest.NewDecoder()
	dec.Use(e.Plan())
	var matches []Match
	bad := quarantined(tb)
	one := func(ev *ingest.Event) { matches = e.Match(ev, matches[:0]) }
	return func() {
		for _, m := range t.messages {
			dec.Decode(m, one, bad)
		}
	}
}

func quarantined(tb testing.TB) func(ingest.Quarantined) {
	return func(q ingest.Quarantined) { tb.Fatal(q.Detail) }
}

// mapPass is the floor everybody knows: the standard library's decode of the
// same records to a map, and nothing else.
func mapPass(tb testing.TB, t *traffic) pass {
	return func() {
		for _, r := range t.records {
			var m map[string]any
			if err := json.Unmarshal(r, &m); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

// fastPaths are 45 paths such as rules and a normaliser ask for.
var fastPaths = strings.Fields(`time category operationName tenantId resultType resultSignature callerIpAddress correlationId identity location
 properties.id properties.createdDateTime properties.userPrincipalName properties.userId properties.userType properties.appId properties.appDisplayName properties.resourceDisplayName properties.resourceId properties.clientAppUsed
 properties.userAgent properties.isInteractive properties.authenticationProtocol properties.authenticationRequirement properties.authenticationDetails.0.authenticationMethod properties.authenticationDetails.0.succeeded properties.authenticationDetails.0.authenticationStepResultDetail properties.conditionalAccessStatus properties.appliedConditionalAccessPolicies.0.id properties.appliedConditionalAccessPolicies.0.result
 properties.deviceDetail.isCompliant properties.deviceDetail.isManaged properties.deviceDetail.trustType properties.status.errorCode properties.status.failureReason properties.riskLevelDuringSignIn properties.riskLevelAggregated properties.riskState properties.location.countryOrRegion properties.homeTenantId
 properties.initiatedBy.user.userPrincipalName properties.targetResources.0.id Operation RecordType UserId`)

// fastPass parses with fastjson and gets 45 paths.
func fastPass(tb testing.TB, t *traffic) pass {
	var paths [][]string
	for _, p := range fastPaths {
		paths = append(paths, strings.Split(p, "."))
	}
	var p fastjson.Parser
	found := 0
	return func() {
		for _, r := range t.records {
			v, err := p.ParseBytes(r)
			if err != nil {
				tb.Fatal(err)
			}
			for _, keys := range paths {
				found += len(v.GetStringBytes(keys...))
			}
		}
	}
}

func bench(b *testing.B, t *traffic, p pass) {
	b.ReportAllocs()
	b.SetBytes(int64(t.size))
	p()
	b.ResetTimer()
	for b.Loop() {
		p()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(t.records)), "ns/event")
}

// BenchmarkDecode is the decoder alone, and what it is held against.
func BenchmarkDecode(b *testing.B) {
	t := newTraffic(2000)
	b.Run("events", func(b *testing.B) { bench(b, t, decodePass(b, t)) })
	b.Run("encoding-json-map", func(b *testing.B) { bench(b, t, mapPass(b, t)) })
	b.Run("fastjson-45-paths", func(b *testing.B) { bench(b, t, fastPass(b, t)) })
}

// BenchmarkMatch is decoding and matching, by the number of rules: the
// catalog's, and SigmaHQ's ($PHIWATCH_SIGMAHQ) or generated ones, each with its
// log source or all of them on sign-ins.
func BenchmarkMatch(b *testing.B) {
	t := newTraffic(2000)
	b.Run("catalog", func(b *testing.B) { bench(b, t, matchPass(b, t, loadCatalog(b))) })
	for _, one := range []bool{false, true} {
		name := map[bool]string{false: "routed", true: "one-source"}[one]
		for _, n := range []int{10, 142, 1000, 3000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) { bench(b, t, matchPass(b, t, benchEngine(b, n, one))) })
		}
	}
}
