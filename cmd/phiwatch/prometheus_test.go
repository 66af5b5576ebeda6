package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMonitoring runs a daemon and holds what is deployed beside it to the
// metrics that it has; where Prometheus is installed, by Prometheus itself.
func TestMonitoring(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	known, used := exposed(t, d.registry), map[string]bool{}
	t.Run("alert rules", func(t *testing.T) { checkAlertRules(t, known, used) })
	t.Run("dashboard", func(t *testing.T) { checkDashboard(t, known, used) })
	t.Run("every metric is watched", func(t *testing.T) { checkAllWatched(t, known, used) })
	t.Run("every alert is tested", checkRulesAreTested)
	t.Run("readme", func(t *testing.T) { checkReadmeMonitoring(t, known, d.web.listener.Addr().String()) })
	t.Run("promtool", func(t *testing.T) { runPromtool(t, scrape(t, d)) })
	t.Run("prometheus", func(t *testing.T) { runPrometheus(t, d) })
}

// needTool skips a test that needs a program which is not installed;
// PHIWATCH_REQUIRE_ALL makes that a failure.
func needTool(t *testing.T, name string) string {
	t.Helper()
	file, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("PHIWATCH_REQUIRE_ALL") != "":
		t.Fatalf("%s is not installed (Debian package prometheus)", name)
	default:
		t.Skipf("%s is not installed (Debian package prometheus)", name)
	}
	return file
}

func runPromtool(t *testing.T, metrics string) {
	promtool := needTool(t, "promtool")
	for _, tt := range []struct {
		stdin string
		args  []string
	}{
		{"", []string{"check", "rules", "phiwatch.rules.yml"}},
		{"", []string{"test", "rules", "phiwatch.test.yml"}},
		{"", []string{"check", "config", "prometheus.yml"}},
		{metrics, []string{"check", "metrics"}},
	} {
		t.Run(strings.Join(tt.args[:2], " "), func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), promtool, tt.args...)
			cmd.Dir = filepath.Join(root, "deploy", "prometheus")
			cmd.Stdin = strings.NewReader(tt.stdin)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %v\n%s", tt.args, err, out)
			}
		})
	}
}

// runPrometheus has a real Prometheus, on the example configuration with a
// shorter interval, read the daemon and evaluate the rules.
func runPrometheus(t *testing.T, d *daemon) {
	prometheus := needTool(t, "prometheus")
	dir := t.TempDir()
	text := deployed(t, "prometheus/prometheus.yml")
	for old, replacement := range map[string]string{"15s": "500ms", defaultConfig().Web.Listen: d.web.listener.Addr().String()} {
		if !strings.Contains(text, old) {
			t.Fatalf("prometheus.yml no longer has %s", old)
		}
		text = strings.ReplaceAll(text, old, replacement)
	}
	for name, content := range map[string]string{"prometheus.yml": text, "phiwatch.rules.yml": deployed(t, "prometheus/phiwatch.rules.yml")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	addr := freeAddress(t)
	var log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), prometheus, "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("prometheus:\n%s", log.String())
		}
	})

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	await(ctx, t, "prometheus", func() bool { return get(addr, "/-/ready", nil) == http.StatusOK })
	await(ctx, t, "a scrape", func() bool { return promQuery(addr, `up{job="phiwatch"}`) == "1" })
	await(ctx, t, "a metric", func() bool { return promQuery(addr, `phiwatch_eventhub_connected`) == "1" })
	var states map[string]string
	await(ctx, t, "every rule evaluated", func() bool {
		states = ruleStates(t, addr)
		for _, r := range readAlertRules(t) {
			if states[r.Alert] == "" {
				return false
			}
		}
		return true
	})
	if states["PhiwatchWatchdog"] != "firing" {
		t.Errorf("the watchdog is %s", states["PhiwatchWatchdog"])
	}
	if s := states["PhiwatchDown"]; s != "inactive" {
		t.Errorf("PhiwatchDown is %s while phiwatch runs", s)
	}
}

// promQuery returns the value of the only series of a query, "" if there is none.
func promQuery(addr, query string) string {
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	if get(addr, "/api/v1/query?query="+url.QueryEscape(query), &answer) != http.StatusOK || len(answer.Data.Result) != 1 {
		return ""
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1])
}

// ruleStates returns the state of every alert rule that has been evaluated, and
// fails the test if one of them could not be.
func ruleStates(t *testing.T, addr string) map[string]string {
	t.Helper()
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, State, Health, LastError string }
			}
		}
	}
	get(addr, "/api/v1/rules", &answer)
	states := map[string]string{}
	for _, g := range answer.Data.Groups {
		for _, r := range g.Rules {
			switch r.Health {
			case "ok":
				states[r.Name] = r.State
			case "err":
				t.Fatalf("rule %s: %s", r.Name, r.LastError)
			}
		}
	}
	return states
}
