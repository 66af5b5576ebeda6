package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"phiwatch/alerting"
	"phiwatch/alerting/receivertest"
	"phiwatch/detectors"
	"phiwatch/detectors/rules"
	"phiwatch/ingest/eventhub"
	"phiwatch/ingest/hospital"
	"phiwatch/ingest/localhub"
)

// fakes are the destinations of a daemon under test.
type fakes struct {
	slack *receivertest.SlackServer
	pager *receivertest.PagerDutyServer
}

func newFakes(t *testing.T) *fakes {
	f := &fakes{receivertest.NewSlackServer(), receivertest.NewPagerDutyServer()}
	t.Cleanup(f.slack.Close)
	t.Cleanup(f.pager.Close)
	return f
}

// configFile writes a configuration that tells Slack of everything and pages
// for what is high or critical, each subject for itself, and returns its name.
func (f *fakes) configFile(t *testing.T, listen string, connectionStrings ...string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var hubs strings.Builder
	for i, cs := range connectionStrings {
		write(fmt.Sprintf("hub-%d", i), cs)
		fmt.Fprintf(&hubs, "    - connection_string_file: hub-%d\n", i)
	}
	write("slack-token", receivertest.SlackToken)
	write("routing-key", receivertest.PagerDutyKey)
	write("phiwatch.yml", fmt.Sprintf(`
state: state.db
web:
  listen: %s
sources:
  hubs:
%s
receivers:
  - name: soc
    slack: {token_file: slack-token, channel: %s, api_url: %q}
  - name: oncall
    pagerduty: {routing_key_file: routing-key, url: %q}
route:
  receiver: soc
  group_by: [tenant, entry, subject]
  routes:
    - receiver: oncall
      matchers: ['severity=~"high|critical"']
      continue: true
    - receiver: soc
`, listen, hubs.String(), receivertest.SlackChannel, f.slack.APIURL(), f.pager.URL()))
	return filepath.Join(dir, "phiwatch.yml")
}

// nextPort is where freeAddress looks next; processes begin at different places.
var nextPort = func() *atomic.Int32 {
	n := new(atomic.Int32)
	n.Store(int32(os.Getpid() % 1000 * 10))
	return n
}()

// freeAddress returns a loopback address that was free a moment ago, and never one
// twice. It is below the ports that a system gives to whoever asks for any: such a
// one may be gone before it is used.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 10_000 {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 20_000+nextPort.Add(1)%10_000))
		if err != nil {
			continue // somebody has it
		}
		defer l.Close()
		return l.Addr().String()
	}
	t.Fatal("no port from 20000 to 29999 is free")
	return ""
}

// scenario reads the test events of a rule of the catalog.
func scenario(t testing.TB, file string) *detectors.Scenario {
	t.Helper()
	s, err := detectors.ReadScenario(rules.FS, file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRunTellsAndResolves has hub and daemon in processes of their own. A
// violation is posted and paged; its restore edits the same message and
// resolves the same page.
func TestRunTellsAndResolves(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	f := newFakes(t)
	hub := command(t, "hub", "--listen", "127.0.0.1:0", "--hubs", "audit")
	_, connection, _ := strings.Cut(hub.line(t), ": ")
	web := freeAddress(t)
	command(t, "run", "--config.file", f.configFile(t, web, connection))
	await(ctx, t, "ready", func() bool { return get(web, "/-/ready", nil) == http.StatusOK })

	events := scenario(t, "authentication/ca-policy-disabled.yml")
	producer, err := eventhub.NewProducer(connection)
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close(context.WithoutCancel(ctx))
	if err := producer.Send(ctx, hospital.Message(hospital.New(1).Record(time.Now()))); err != nil {
		t.Fatal(err) // the connection is warm
	}

	sent := time.Now()
	if err := producer.Send(ctx, events.Body("hit")); err != nil {
		t.Fatal(err)
	}
	messages, err := f.slack.Await(ctx, func(m []receivertest.SlackMessage) bool { return len(m) == 1 })
	if err != nil {
		t.Fatalf("no message: %v", err)
	}
	_, err = f.pager.Await(ctx, func(p map[string]receivertest.Page) bool { return len(p) == 1 })
	if err != nil {
		t.Fatalf("no page: %v", err)
	}
	t.Logf("posted and paged %s after the send began", time.Since(sent).Round(time.Millisecond))
	if !strings.Contains(messages[0].Content(), "Conditional Access policy disabled") {
		t.Errorf("message does not say what happened: %s", messages[0].Content())
	}

	if err := producer.Send(ctx, events.Body("restore")); err != nil {
		t.Fatal(err)
	}
	messages, err = f.slack.Await(ctx, func(m []receivertest.SlackMessage) bool { return m[0].Edits > 0 })
	if err != nil || len(messages) != 1 {
		t.Errorf("got %d messages, error %v; want the same one edited", len(messages), err)
	}
	pages, err := f.pager.Await(ctx, func(p map[string]receivertest.Page) bool {
		for _, page := range p {
			return page.Status == "resolved"
		}
		return false
	})
	if err != nil || len(pages) != 1 {
		t.Errorf("got pages %v, error %v; want the same one resolved", pages, err)
	}
}

// TestKilledAndStartedAgain kills the daemon while it consumes 20,000 records
// and starts it again: every planted violation is in the ledger once, and
// nobody is paged twice.
func TestKilledAndStartedAgain(t *testing.T) {
	const records, planted, rounds = 20_000, 40, 10
	messages := killDay(t, records, planted)
	for round := range rounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			f := newFakes(t)
			connection := localHub(t, messages)
			web := freeAddress(t)
			file := f.configFile(t, web, connection)
			// However long it takes: that the records are old is a violation, too.
			appendFile(t, file, "blindness: {delay: 876000h}\n")

			first := command(t, "run", "--config.file", file)
			// Killed at another point of the work each time: from before the
			// first page to when most are out.
			_, err := f.pager.Await(ctx, func(p map[string]receivertest.Page) bool { return len(p) >= round*planted/(rounds+1) })
			if err != nil {
				t.Fatalf("the first process did not get going: %v", err)
			}
			if err := first.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = first.Wait()

			command(t, "run", "--config.file", file)
			await(ctx, t, "all decided and told", func() bool { return settled(web, planted) })
			checkLedger(t, web, planted)
			pages := f.pager.Pages()
			if len(pages) != planted {
				t.Errorf("got %d pages, want %d", len(pages), planted)
			}
			for key, p := range pages {
				if p.Incidents != 1 {
					t.Errorf("page %s was raised %d times: %v", key, p.Incidents, p.Actions)
				}
			}
		})
	}
}

// killDay returns messages with records harmless records and planted hits among them.
func killDay(t *testing.T, records, planted int) [][]byte {
	t.Helper()
	hit := scenario(t, "authentication/ca-policy-disabled.yml").Body("hit")
	policy := regexp.MustCompile(`9e8d7c6b-5a49-4382-b716-05f4e3d2c101`)
	if !policy.Match(hit) {
		t.Fatal("the planted event has no policy id to replace")
	}
	id := regexp.MustCompile(`IPCGraph_[0-9a-f]+`)
	h := hospital.New(3)
	at := time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)
	var messages [][]byte
	const each = 50
	every := records / each / planted
	for i := 0; i < records/each; i++ {
		var batch [][]byte
		for range each {
			batch = append(batch, h.Record(at))
		}
		messages = append(messages, hospital.Message(batch...))
		if n := i / every; i%every == 0 && n < planted {
			own := policy.ReplaceAll(hit, fmt.Appendf(nil, "9e8d7c6b-0000-4000-8000-%012d", n))
			messages = append(messages, id.ReplaceAll(own, fmt.Appendf(nil, "IPCGraph_%08d", n)))
		}
	}
	return messages
}

// localHub serves a hub that holds messages over its partitions.
func localHub(t *testing.T, messages [][]byte) (connection string) {
	t.Helper()
	_, connection = faultyHub(t, messages)
	return connection
}

// faultyHub is localHub, and returns the hub, whose faults a test may choose.
func faultyHub(t *testing.T, messages [][]byte) (hub *localhub.Hub, connection string) {
	t.Helper()
	hub, err := localhub.New(localhub.Config{Hubs: []localhub.HubConfig{{Name: "audit", Partitions: 4}}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = hub.Serve(ctx, l)
	}()
	t.Cleanup(func() { cancel(); <-done })
	for i, m := range messages {
		if err := hub.Publish("audit", fmt.Sprint(i%4), localhub.Message{Body: m}); err != nil {
			t.Fatal(err)
		}
	}
	return hub, hub.ConnectionString(l.Addr().String(), "audit")
}

// settled reports whether the daemon has opened want violations and owes nothing.
func settled(web string, want int) bool {
	var list struct{ Violations []alerting.Violation }
	var accounts struct{ Accounts []alerting.Account }
	if get(web, "/api/v1/violations?limit=1000", &list) != http.StatusOK || len(list.Violations) < want {
		return false
	}
	return get(web, "/api/v1/accounts", &accounts) == http.StatusOK && pending(accounts.Accounts) == 0
}

// checkLedger holds the ledger to want open violations of as many subjects, each counted once.
func checkLedger(t *testing.T, web string, want int) {
	t.Helper()
	var list struct{ Violations []alerting.Violation }
	get(web, "/api/v1/violations?limit=1000", &list)
	subjects := map[string]bool{}
	for _, v := range list.Violations {
		subjects[v.Subject] = true
		if v.State != alerting.StatusOpen || v.Repeats != 0 {
			t.Errorf("violation of %s is %s with %d repeats, want open and none", v.Subject, v.State, v.Repeats)
		}
	}
	if len(list.Violations) != want || len(subjects) != want {
		t.Errorf("got %d violations of %d subjects, want %d", len(list.Violations), len(subjects), want)
	}
}

// get fetches a page of the daemon's web server, into v if it is not nil, and
// returns the status; 0 while nobody listens.
func get(web, path string, v any) int {
	resp, err := http.Get("http://" + web + path)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if v != nil {
		if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
			return -1
		}
	}
	return resp.StatusCode
}

// await polls until ok; a process of its own tells no other way.
func await(ctx context.Context, t *testing.T, what string, ok func() bool) {
	t.Helper()
	for !ok() {
		if err := sleepUntil(ctx, time.Now().Add(10*time.Millisecond)); err != nil {
			t.Fatalf("waiting for %s: %v", what, err)
		}
	}
}
