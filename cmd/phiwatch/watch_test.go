package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/alerting"
	"phiwatch/alerting/receivertest"
	"phiwatch/detectors/blindness"
	"phiwatch/ingest"
	"phiwatch/ingest/eventhub"
)

// TestSilenceIsToldAndResolved runs a daemon whose one stream stops: Slack and
// PagerDuty hear of it like of any violation, and the next record resolves it.
// Time for the watch is what the test says.
func TestSilenceIsToldAndResolved(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	f := newFakes(t)
	connection := localHub(t, [][]byte{scenario(t, "authentication/ca-policy-disabled.yml").Body("restore")})
	file := f.configFile(t, freeAddress(t), connection)
	d, err := newDaemon(ctx, func() (*config, error) { return loadConfig(file) }, slog.New(slog.NewTextHandler(t.Output(), nil)), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	d.watch.SetOptions(blindness.Options{Silence: map[ingest.Kind]time.Duration{ingest.EntraAudit: 10 * time.Minute}})
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- d.run(running) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	attended := func() bool {
		h := healthOf(d.source.Hubs(), d.source.Lags())[0]
		return h.Connected && h.Known && h.Behind == 0
	}
	decided := func(n int64) func() bool {
		return func() bool { return d.pipeline.totals.sum().Messages == n && attended() }
	}
	await(ctx, t, "the record decided", decided(1))

	now := time.Now()
	judge := func() {
		t.Helper()
		if err := d.pipeline.judge(ctx, now, healthOf(d.source.Hubs(), d.source.Lags())); err != nil {
			t.Fatal(err)
		}
		now = now.Add(5 * time.Minute)
	}
	for range 2 {
		judge()
	}
	if n := len(f.slack.Messages()); n != 0 {
		t.Fatalf("%d messages after 5 minutes of quiet, want none", n)
	}
	for range 2 {
		judge()
	}
	if _, err := f.pager.Await(ctx, func(p map[string]receivertest.Page) bool { return len(p) == 1 }); err != nil {
		t.Fatalf("no page: %v", err)
	}
	messages, err := f.slack.Await(ctx, func(m []receivertest.SlackMessage) bool { return len(m) == 1 })
	if err != nil || !strings.Contains(messages[0].Content(), "Audit stream has gone silent") {
		t.Fatalf("got messages %v, %v", messages, err)
	}

	producer, err := eventhub.NewProducer(connection)
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close(context.WithoutCancel(ctx))
	if err := producer.Send(ctx, scenario(t, "authentication/ca-policy-disabled.yml").Body("restore")); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, "the next record decided", decided(2))
	judge()
	pages, err := f.pager.Await(ctx, func(p map[string]receivertest.Page) bool {
		for _, page := range p {
			return page.Status == "resolved"
		}
		return false
	})
	if err != nil || len(pages) != 1 {
		t.Errorf("got pages %v, error %v; want the same one resolved", pages, err)
	}
	all, err := allViolations(ctx, d.ledger)
	if err != nil || len(all) != 1 || all[0].Entry != "stream-silence" || all[0].State != alerting.StatusRestored || !all[0].Restored.After(all[0].Opened) {
		t.Errorf("got violations %+v, %v; want one, restored", all, err)
	}
}

// TestWhatCameLastIsKnownAfterARestart stops a daemon before its watch has ever
// looked: the record that it decided must not be missed by the next one.
func TestWhatCameLastIsKnownAfterARestart(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	f := newFakes(t)
	file := f.configFile(t, freeAddress(t), localHub(t, [][]byte{scenario(t, "authentication/ca-policy-disabled.yml").Body("restore")}))
	load := func() *daemon {
		t.Helper()
		d, err := newDaemon(ctx, func() (*config, error) { return loadConfig(file) }, slog.New(slog.NewTextHandler(t.Output(), nil)), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := load()
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- d.run(running) }()
	await(ctx, t, "the record decided", func() bool { return d.pipeline.totals.sum().Messages == 1 })
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	d = load()
	defer d.close()
	var kind string
	if err := d.db.QueryRowContext(ctx, `SELECT kind FROM blind_streams WHERE heard > 0`).Scan(&kind); err != nil || kind != "entra-audit" {
		t.Errorf("got a stream of %q, %v", kind, err)
	}
	all, err := allViolations(ctx, d.ledger)
	if err != nil || len(all) != 0 {
		t.Errorf("got violations %v, %v; want none of stopping", all, err)
	}
}

// TestMissingMessagesAreAnIncident has messages vanish from a partition, within
// what one process reads and across a restart.
func TestMissingMessagesAreAnIncident(t *testing.T) {
	d := idleDaemon(t)
	part := ingest.Partition{Hub: "example/lost", ID: "0"}
	if _, err := d.db.ExecContext(t.Context(), `INSERT INTO ownership (namespace, hub, consumer_group, partition, owner_id, etag, last_modified)
		VALUES ('example', 'lost', '$Default', '0', 'me', 'e', 0)`); err != nil {
		t.Fatal(err)
	}
	body := scenario(t, "authentication/ca-policy-disabled.yml").Body("restore")
	deliver := func(sequences ...int64) {
		t.Helper()
		b := ingest.Batch{Partition: part, Owner: "me"}
		for _, n := range sequences {
			b.Messages = append(b.Messages, ingest.Message{
				Position: ingest.Position{Partition: part, Sequence: n}, Body: body, Enqueued: time.Date(2026, 9, 14, 8, 0, int(n), 0, time.UTC),
			})
		}
		if err := d.pipeline.handle(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	missing := func() (said []string) {
		all, err := allViolations(t.Context(), d.ledger)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range all {
			said = append(said, v.Entry+" of "+v.Subject+": "+v.Action)
		}
		return said
	}
	deliver(10, 11)
	deliver(11, 12) // again, and on
	if got := missing(); got != nil {
		t.Errorf("nothing is missing, but got %v", got)
	}
	deliver(20)
	if diff := cmp.Diff([]string{"evidence-gap of example/lost + 0: 7 messages are missing"}, missing()); diff != "" {
		t.Error(diff)
	}
	d.pipeline.flush(t.Context())
	d.pipeline.forget(ingest.Batch{Partition: part}) // as a new process begins
	deliver(20, 22)
	if diff := cmp.Diff([]string{"evidence-gap of example/lost + 0: 1 messages are missing"}, missing()); diff != "" {
		t.Error(diff)
	}
}

// idleDaemon is a daemon that does not run.
func idleDaemon(t *testing.T) *daemon {
	t.Helper()
	d, _ := idleDaemonOf(t)
	return d
}

// idleDaemonOf also returns the name of its configuration.
func idleDaemonOf(t *testing.T) (d *daemon, file string) {
	t.Helper()
	file = newFakes(t).configFile(t, "127.0.0.1:0", "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=a2V5;EntityPath=audit;UseDevelopmentEmulator=true")
	d, err := newDaemon(t.Context(), func() (*config, error) { return loadConfig(file) }, slog.New(slog.NewTextHandler(t.Output(), nil)), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.close() })
	return d, file
}

func TestHealthOfHubs(t *testing.T) {
	lag := func(hub, id string, events int64, behind time.Duration) eventhub.Lag {
		return eventhub.Lag{Partition: ingest.Partition{Hub: hub, ID: id}, Events: events, Behind: behind}
	}
	got := healthOf([]eventhub.HubState{
		{Hub: "n/well", Connected: true, Of: 2},
		{Hub: "n/partly", Connected: true, Of: 2},
		{Hub: "n/behind", Connected: true},
		{Hub: "n/new", Connected: true},
		{Hub: "n/unread", Connected: true},
		{Hub: "n/away", LastError: &eventhub.Error{Class: eventhub.ClassAuth}},
	}, []eventhub.Lag{
		lag("n/well", "0", 0, 0), lag("n/well", "1", 0, 0),
		lag("n/partly", "1", 0, 0),
		lag("n/behind", "0", 7, time.Minute), lag("n/behind", "1", 3, time.Hour),
		lag("n/new", "0", 0, 0), lag("n/new", "1", -1, 0),
		{Partition: ingest.Partition{Hub: "n/behind", ID: "2"}, Stuck: errors.New("disk full"), After: 1, Expired: 2},
	})
	want := []blindness.HubHealth{
		{Hub: "n/well", Connected: true, Known: true},
		{Hub: "n/partly", Connected: true},
		{Hub: "n/behind", Connected: true, Known: true, Behind: time.Hour, Events: 10, Stuck: true},
		{Hub: "n/new", Connected: true},
		{Hub: "n/unread", Connected: true},
		{Hub: "n/away", Trouble: "auth"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBlindnessConfiguration(t *testing.T) {
	for text, want := range map[string]string{
		"blindness: {}": "",
		"blindness: {silence: {entra-audit: 2h}, delays: {intune: 30h}, expect: [m365-audit]}": "",
		"blindness: {silence: {entra-audits: 2h}}":                                             `phiwatch.yml:1:22: blindness.silence: "entra-audits" is not a kind of record`,
		"blindness: {expect: [unknown]}":                                                       `phiwatch.yml:1:21: blindness.expect: "unknown" is not a kind of record`,
		"blindness: {floor: 5s}":                                                               "phiwatch.yml:1:20: blindness.floor: 5s is too short",
		"blindness: {quarantine_percent: 101}":                                                 "phiwatch.yml:1:33: blindness.quarantine_percent: 101 is not above 0 and at most 100",
	} {
		c := defaultConfig()
		var err error
		if c.file, err = parseYAML("phiwatch.yml", []byte(text), c); err != nil {
			t.Fatal(err)
		}
		switch err := c.file.locate("blindness", c.Blindness.validate()); {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got error %v, want %s", text, err, want)
		}
	}
}

func TestWatchEntriesAreKnownToMetrics(t *testing.T) {
	set, err := defaultConfig().loadRules()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range blindness.Rules() {
		if !slices.Contains(entriesOf(set), m.Entry) {
			t.Errorf("%s is missing", m.Entry)
		}
		if slices.Contains(set.Entries(), m.Entry) {
			t.Errorf("%s is an entry of the catalog's rules, too", m.Entry)
		}
	}
}
