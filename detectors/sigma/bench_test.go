package sigma

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// every rule of allocRules uses other testers.
var allocRules = []string{
	"s: {op: Add member, code: [17, 18], n|gt: 5}",
	"s: {op: [a1, a2, a3, a4, a5, a6, a7, Add member], user|contains: [x1, x2, x3, x4, x5, x6, JO]}",
	"s: {user|startswith: J, user|endswith: ORG, user|contains: '@', user: 'j*@*.org'}",
	"s: {user|re|i: '^jo@', ip|cidr: [192.0.2.0/24, '2001:db8::/32']}",
	"s: {ip|cidr: 2001:db8::/32}",
	"s: {user|fieldref|neq: op, time|hour: [22, 23], gone: null, op|exists: true}",
	"s: {straße|contains: STRAẞE}",
	"s: [needle, 'other needle']",
	"s: {'|all': [add, jo, utf]}",
	"s: {n: 5.0, m: 1.70e1}",
}

const allocEvent = `{"op": "add MEMBER", "code": 17, "user": "jo@example.org", "ip": ["aa:bb:cc:dd:ee:ff", "10.0.0", "<null>", "192.0.2.7:443"],
"n": 6.5, "m": 17, "time": "2026-01-05T22:10:00Z", "straße": "Große Straße", "text": "not a utf-8 matter"}`

// Match runs for every event of every partition: garbage there is felt
// everywhere.
func TestMatchDoesNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector makes sync.Pool allocate")
	}
	fields := &Fields{}
	var matchers []*Matcher
	for _, rule := range allocRules {
		d, err := parseText(rule)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Compile(d, Options{Fields: fields})
		if err != nil {
			t.Fatal(err)
		}
		matchers = append(matchers, m)
	}
	ev := newJSONEvent(t, fields, allocEvent)
	for i, m := range matchers {
		if n := testing.AllocsPerRun(100, func() { m.Match(ev) }); n != 0 {
			t.Errorf("%s: %v allocations", allocRules[i], n)
		}
	}
	set, scratch, out := NewSet(matchers), NewScratch(), make([]int, 0, len(matchers))
	if n := testing.AllocsPerRun(100, func() { out = set.Match(ev, scratch, out[:0]) }); n != 0 {
		t.Errorf("set: %v allocations", n)
	}
	if len(out) != 7 {
		t.Errorf("rules %v of the set matched, want seven", out)
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, rule := range allocRules {
		b.Run(strings.ReplaceAll(rule, " ", ""), func(b *testing.B) {
			m := compileText(b, rule)
			ev := newJSONEvent(b, m.Fields(), allocEvent)
			b.ReportAllocs()
			for b.Loop() {
				m.Match(ev)
			}
		})
	}
}

// benchRules makes rules as they are written for audit logs: an operation, a
// result, and one or two conditions on other fields. Their operations are not
// those of most events.
func benchRules(n int) []string {
	g := newGenerator(1, 4)
	var out []string
	for i := range n {
		extra := pick(g, []string{"", "", "\n  user|contains: [admin, root]", "\n  agent|re: 'python-[0-9]'", "\n  ip|cidr: 198.51.100.0/24",
			"\n  app|startswith: Legacy", "\n  state: [disabled, 'enabledFor*']"})
		switch g.IntN(10) {
		case 0:
			out = append(out, fmt.Sprintf("s:\n  message|contains: ['Part %d of', 'thing %d']%s", i, i, extra))
		case 1:
			out = append(out, fmt.Sprintf("s:\n  app: App %d\nf:\n  state: none\ncondition: s and not f", i))
		default:
			out = append(out, fmt.Sprintf("s:\n  op: [Operation %d, Operation %d]\n  result: success%s", i, i+n, extra))
		}
	}
	return out
}

func benchEvents(b *testing.B, fields *Fields) []Event {
	g := newGenerator(1, 5)
	var out []Event
	for range 200 {
		op := "Sign-in activity"
		if g.IntN(4) == 0 {
			op = fmt.Sprintf("Operation %d", g.IntN(100_000))
		}
		out = append(out, newJSONEvent(b, fields, fmt.Sprintf(`{"op": %q, "result": "success", "user": "user%d@example.org",
			"agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36", "ip": "203.0.113.%d", "app": "Office 365",
			"state": "enabled", "message": "Part of a longer message that says nothing of interest at all"}`, op, g.IntN(1000), g.IntN(255))))
	}
	return out
}

// BenchmarkSet is the cost of one event, fields extracted before, by the number
// of rules; plain is the evaluation of every rule.
func BenchmarkSet(b *testing.B) {
	for _, n := range []int{10, 142, 1000, 3000} {
		fields := &Fields{}
		var matchers []*Matcher
		for _, rule := range benchRules(n) {
			matchers = append(matchers, compileWith(b, rule, fields))
		}
		benchSet(b, fmt.Sprint(n), matchers, benchEvents(b, fields))
	}
}

// BenchmarkSigmaHQ is the same with the rules of SigmaHQ: all of them, whatever
// their log source.
func BenchmarkSigmaHQ(b *testing.B) {
	dir := sigmaHQ(b)
	for _, part := range []string{"rules/cloud/azure", "rules"} {
		fields := &Fields{}
		var matchers []*Matcher
		for name, data := range ruleFiles(b, filepath.Join(dir, part)) {
			docs, err := Parse(name, data)
			if err != nil {
				b.Fatal(err)
			}
			m, err := Compile(docs[0].(*Rule).Detection, Options{Fields: fields})
			if err != nil {
				b.Fatal(err)
			}
			matchers = append(matchers, m)
		}
		benchSet(b, fmt.Sprintf("%s-%d", filepath.Base(part), len(matchers)), matchers, benchEvents(b, fields))
	}
}

func compileWith(b *testing.B, rule string, fields *Fields) *Matcher {
	b.Helper()
	d, err := parseText(rule)
	if err != nil {
		b.Fatal(err)
	}
	m, err := Compile(d, Options{Fields: fields})
	if err != nil {
		b.Fatal(err)
	}
	return m
}

func benchSet(b *testing.B, name string, matchers []*Matcher, events []Event) {
	set, scratch := NewSet(matchers), NewScratch()
	out := make([]int, 0, len(matchers))
	b.Run(name+"/index", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			out = set.Match(events[i%len(events)], scratch, out[:0])
		}
	})
	if os.Getenv("PHIWATCH_BENCH_PLAIN") == "" && len(matchers) > 1000 {
		return
	}
	b.Run(name+"/plain", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			for _, m := range matchers {
				m.Match(events[i%len(events)])
			}
		}
	})
}
