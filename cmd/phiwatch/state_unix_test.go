//go:build unix

package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"phiwatch/alerting/receivertest"
	"phiwatch/ingest/eventhub"
)

// TestTheStateIsPrivateAndOfOneProcess opens one state twice: two processes would
// tell everything twice. It holds audit records, so nobody else may read it.
func TestTheStateIsPrivateAndOfOneProcess(t *testing.T) {
	d, file := idleDaemonOf(t)
	again := func() (*daemon, error) {
		return newDaemon(t.Context(), func() (*config, error) { return loadConfig(file) }, slog.New(slog.NewTextHandler(t.Output(), nil)), io.Discard)
	}
	if _, err := again(); err == nil || !strings.Contains(err.Error(), "state.db: another phiwatch uses it, process ") {
		t.Fatalf("a second daemon on the same state: %v", err)
	}
	files, err := filepath.Glob(d.config.State + "*")
	if err != nil || len(files) < 3 {
		t.Fatalf("the state is in %v, %v", files, err)
	}
	for _, name := range files {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	second, err := again()
	if err != nil {
		t.Fatalf("after the first has stopped: %v", err)
	}
	if err := second.close(); err != nil {
		t.Fatal(err)
	}
}

// TestAHangupDuringTheStartIsNotTheEnd sends the signal while the configuration
// is still being read.
func TestAHangupDuringTheStartIsNotTheEnd(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	web := freeAddress(t)
	file := newFakes(t).configFile(t, web, localHub(t, nil))
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
	p := command(t, "run", "--config.file", file)
	pipe, err := os.OpenFile(file, os.O_WRONLY, 0) // until somebody reads
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	write(t, file, string(content)) // for the reload
	if _, err := pipe.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := pipe.Close(); err != nil {
		t.Fatal(err)
	}
	ended := p.ended()
	await(ctx, t, "ready", func() bool {
		select {
		case <-ended:
			t.Fatalf("it has ended: %s", p.ProcessState)
		default:
		}
		return get(web, "/-/ready", nil) == http.StatusOK
	})
}

// TestAConsoleThatGoesAwayIsNotTheEnd closes the pipe that the console writes to.
func TestAConsoleThatGoesAwayIsNotTheEnd(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	web, connection := freeAddress(t), localHub(t, nil)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "hub"), connection)
	write(t, filepath.Join(dir, "phiwatch.yml"), "web: {listen: '"+web+"'}\nsources: {hubs: [{connection_string_file: hub}]}\n")
	p := command(t, "run", "--config.file", filepath.Join(dir, "phiwatch.yml"))
	await(ctx, t, "ready", func() bool { return get(web, "/-/ready", nil) == http.StatusOK })
	if err := p.out.Close(); err != nil {
		t.Fatal(err)
	}
	send(ctx, t, connection, scenario(t, "authentication/ca-policy-disabled.yml").Body("hit"))
	ended, retried := p.ended(), regexp.MustCompile(`(?m)^phiwatch_deliveries_total\{outcome="retried",receiver="console"\} [1-9]`)
	await(ctx, t, "the line to be owed", func() bool {
		select {
		case <-ended:
			t.Fatalf("it has ended: %s", p.ProcessState)
		default:
		}
		return get(web, "/-/healthy", nil) == http.StatusOK &&
			retried.MatchString(page(t, web, "/metrics"))
	})
}

// TestWhoAsksTwiceDoesNotWait stops a daemon twice while its receiver hangs.
func TestWhoAsksTwiceDoesNotWait(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	f := newFakes(t)
	f.slack.Inject(receivertest.Fault{Hang: true})
	web, connection := freeAddress(t), localHub(t, nil)
	p := command(t, "run", "--config.file", f.configFile(t, web, connection))
	await(ctx, t, "ready", func() bool { return get(web, "/-/ready", nil) == http.StatusOK })
	send(ctx, t, connection, scenario(t, "authentication/ca-policy-disabled.yml").Body("hit"))
	await(ctx, t, "a request that hangs", func() bool { return f.slack.Requests() > 0 })
	ended := p.ended()
	await(ctx, t, "its end", func() bool {
		select {
		case <-ended:
			return true
		default:
		}
		if get(web, "/-/healthy", nil) == http.StatusOK { // which it answers for as long as it waits
			_ = p.Process.Signal(syscall.SIGTERM) // it may be gone
		}
		return false
	})
	if status, ok := p.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Errorf("it waited for the receiver: %s", p.ProcessState)
	}
}

// ended is closed when the process has ended.
func (p *process) ended() <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.Wait() // ProcessState tells
	}()
	return ended
}

// send sends messages to a hub.
func send(ctx context.Context, t *testing.T, connection string, bodies ...[]byte) {
	t.Helper()
	producer, err := eventhub.NewProducer(connection)
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close(context.WithoutCancel(ctx))
	if err := producer.Send(ctx, bodies...); err != nil {
		t.Fatal(err)
	}
}
