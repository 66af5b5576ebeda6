package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"phiwatch/alerting"
	"phiwatch/alerting/receivertest"
	"phiwatch/ingest"
	"phiwatch/ingest/eventhub"
)

const renameRule = `
title: A policy was renamed
id: 0f3f1c1e-0000-4000-8000-00000000aaaa
logsource: {product: azure, service: auditlogs}
detection:
  selection:
    operationName|contains: conditional access policy
  condition: selection
level: low
`

// TestReload changes rules under a running daemon: good ones come into force,
// bad ones leave the old in force and say so, and open violations survive.
func TestReload(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	f := newFakes(t)
	connection := localHub(t, nil)
	web := freeAddress(t)
	file := f.configFile(t, web, connection)
	dir := filepath.Join(filepath.Dir(file), "rules")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	appendFile(t, file, "rules:\n  dirs: [rules]\n")
	p := command(t, "run", "--config.file", file)
	await(ctx, t, "ready", func() bool { return get(web, "/-/ready", nil) == http.StatusOK })

	events := scenario(t, "authentication/ca-policy-disabled.yml")
	producer, err := eventhub.NewProducer(connection)
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close(context.WithoutCancel(ctx))
	send := func(body []byte, messages int) {
		t.Helper()
		if err := producer.Send(ctx, body); err != nil {
			t.Fatal(err)
		}
		if _, err := f.slack.Await(ctx, func(m []receivertest.SlackMessage) bool { return len(m) == messages }); err != nil {
			t.Fatalf("waiting for %d messages: %v", messages, err)
		}
	}
	send(events.Body("hit"), 1)

	// A bad rule: refused, named, and the metric says so.
	rule := filepath.Join(dir, "renamed.yml")
	write(t, rule, strings.Replace(renameRule, "contains", "containz", 1))
	status, body := post(t, web, "/-/reload")
	if status != http.StatusBadRequest || !strings.Contains(body, "renamed.yml:7") || !strings.Contains(body, "containz") {
		t.Errorf("reload of a bad rule: %d %s", status, body)
	}
	if !strings.Contains(page(t, web, "/metrics"), "\nphiwatch_config_last_reload_successful 0\n") {
		t.Error("the metric does not say that the reload failed")
	}

	// Mended, and reloaded by signal: the next policy change is found.
	write(t, rule, renameRule)
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, "the reload", func() bool {
		return strings.Contains(page(t, web, "/metrics"), "\nphiwatch_config_last_reload_successful 1\n")
	})
	send(events.Body("near-miss"), 2)

	// The violation from before the reload is restored by an event after it.
	if err := producer.Send(ctx, events.Body("restore")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.slack.Await(ctx, func(m []receivertest.SlackMessage) bool { return m[0].Edits > 0 }); err != nil {
		t.Errorf("the violation from before the reload is not restored: %v", err)
	}

	// What needs a restart is refused.
	config, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, strings.Replace(string(config), "state: state.db", "state: elsewhere.db", 1))
	if status, body := post(t, web, "/-/reload"); status != http.StatusBadRequest || !strings.Contains(body, "state changed") {
		t.Errorf("reload of another state: %d %s", status, body)
	}
}

// TestAReloadThatPanicsChangesNothing has the configuration wake a bug; by signal
// nothing above would catch it.
func TestAReloadThatPanicsChangesNothing(t *testing.T) {
	d, file := idleDaemonOf(t)
	engine := d.pipeline.engine.Load()
	d.load = func() (*config, error) { panic("a bug") }
	if err := d.reload(); err == nil || !strings.Contains(err.Error(), "panic: a bug; please report it") {
		t.Errorf("got %v", err)
	}
	if d.pipeline.engine.Load() != engine {
		t.Error("the rules are others")
	}
	d.load = func() (*config, error) { return loadConfig(file) }
	if err := d.reload(); err != nil {
		t.Error(err)
	}
}

// TestAReloadInForceIsNotCalledRefused has the state fail when the new receiver is
// to be told what is open: the configuration is in force, and the rest comes later.
func TestAReloadInForceIsNotCalledRefused(t *testing.T) {
	d, file := idleDaemonOf(t)
	hit := scenario(t, "authentication/ca-policy-disabled.yml").Body("hit")
	if err := d.pipeline.handle(t.Context(), ingest.Batch{Messages: []ingest.Message{{Body: hit}}}); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, strings.ReplaceAll(string(config), "soc", "second"))
	exec := func(query string) {
		t.Helper()
		if _, err := d.db.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	owed := func() bool {
		t.Helper()
		all, err := d.ledger.Accounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(all, func(a alerting.Account) bool { return a.Receiver == "second" && a.Pending == 1 })
	}
	exec("ALTER TABLE ledger_lock RENAME TO away")
	if err := d.reload(); err != nil {
		t.Errorf("the reload is called refused: %v", err)
	}
	if err := d.reconcile(t.Context()); err == nil {
		t.Error("reconciled without a table")
	}
	exec("ALTER TABLE away RENAME TO ledger_lock")
	if owed() {
		t.Error("owed too early")
	}
	if err := d.reconcile(t.Context()); err != nil || !owed() {
		t.Errorf("not owed afterwards, %v", err)
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func appendFile(t *testing.T, name, more string) {
	t.Helper()
	old, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	write(t, name, string(old)+more)
}

func post(t *testing.T, web, path string) (status int, body string) {
	t.Helper()
	resp, err := http.Post("http://"+web+path, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, readAll(t, resp)
}

func page(t *testing.T, web, path string) string {
	t.Helper()
	resp, err := http.Get("http://" + web + path)
	if err != nil {
		t.Fatal(err)
	}
	return readAll(t, resp)
}

func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	var b strings.Builder
	if _, err := io.Copy(&b, resp.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
