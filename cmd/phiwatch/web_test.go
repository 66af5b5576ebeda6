package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWebBeyondLoopbackIsEncryptedAndAsksWhoItIs checks configurations of a port
// that other machines reach, from which anybody could acknowledge violations.
func TestWebBeyondLoopbackIsEncryptedAndAsksWhoItIs(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "both.pem"), clientCertificate(t))
	hash := "$2a$04$" + strings.Repeat("a", 53) // of a form that is looked at, and nobody's
	const tls = "tls_server_config: {cert_file: both.pem, key_file: both.pem%s}\n"
	plain, mutual := fmt.Sprintf(tls, ""), fmt.Sprintf(tls, ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: both.pem")
	users := fmt.Sprintf("basic_auth_users: {prometheus: %q}\n", hash)
	for i, c := range []struct {
		web, listen, want string
		allow             bool
	}{
		{"", "0.0.0.0:9746", "has no tls_server_config", false},
		{"basic_auth_users: {}\n", "[::]:9746", "has no tls_server_config", false},
		{users, "0.0.0.0:9746", "has no tls_server_config", false},
		{plain, "0.0.0.0:9746", "lets everybody in", false},
		{plain + users, "0.0.0.0:9746", "", false},
		{mutual, "192.0.2.7:9746", "", false},
		{users, "0.0.0.0:9746", "", true},
		{"", "127.0.0.1:9746", "", false},
		{"basic_auth_users: {prometheus: secret}\n", "127.0.0.1:9746", "bcrypt", false},
		{"tls_server_config: {cert_file: nowhere.pem, key_file: both.pem}\n", "127.0.0.1:9746", "nowhere.pem", false},
		{"tls: {}\n", "127.0.0.1:9746", "field tls not found", false},
	} {
		name := filepath.Join(dir, fmt.Sprintf("web-%d.yml", i))
		write(t, name, c.web)
		err := webConfig{Listen: c.listen, ConfigFile: name, AllowPlain: c.allow}.validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "config_file: ")) {
			t.Errorf("%s with %q: %v, want %q", c.listen, c.web, err, c.want)
		}
	}
}

// TestARequestThatDoesNotEndHoldsNothingUp stops the web server while a client
// waits, and whoever waits for the server does not: that is no failure.
func TestARequestThatDoesNotEndHoldsNothingUp(t *testing.T) {
	d := idleDaemon(t)
	d.web.patience = time.Millisecond
	began := make(chan struct{})
	d.web.server.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- d.serve(ctx) }()
	c, err := net.Dial("tcp", d.web.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-began
	cancel()
	if err := <-served; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// TestProbesOfThePortAreNoNews: a panic of a handler is.
func TestProbesOfThePortAreNoNews(t *testing.T) {
	var out strings.Builder
	server := slog.NewLogLogger(serverLog{slog.NewTextHandler(&out, nil)}, slog.LevelError)
	server.Printf("http: TLS handshake error from 192.0.2.7:40000: EOF")
	server.Printf("http: panic serving 192.0.2.7:40000: a bug")
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "a bug") {
		t.Errorf("logged %s", got)
	}
}

// TestOtherSitesHaveNoSay: whoever looks at a page while a port is forwarded must
// not reload or acknowledge what the page wants; a script of one's own may.
func TestOtherSitesHaveNoSay(t *testing.T) {
	d := idleDaemon(t)
	for _, c := range []struct {
		header, value, path string
		want                int
	}{
		{"Sec-Fetch-Site", "cross-site", "/-/reload", http.StatusForbidden},
		{"Origin", "https://elsewhere.example.org", "/api/v1/violations/x/close", http.StatusForbidden},
		{"User-Agent", "curl", "/-/reload", http.StatusOK},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:9746"+c.path, nil)
		r.Header.Set(c.header, c.value)
		w := httptest.NewRecorder()
		d.handler().ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("POST %s with %s: %s: %d, want %d", c.path, c.header, c.value, w.Code, c.want)
		}
	}
}

// TestMetricsWithoutTheStateSayWhy: the rest is served, so that there is an alert,
// whose runbook sends people to the log.
func TestMetricsWithoutTheStateSayWhy(t *testing.T) {
	d := idleDaemon(t)
	var out strings.Builder
	d.log = slog.New(slog.NewTextHandler(&out, nil))
	if _, err := d.db.Exec("DROP TABLE ledger_counts"); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	d.handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	page := w.Body.String()
	if w.Code != http.StatusOK || !strings.Contains(page, "\nphiwatch_violations_open{") || strings.Contains(page, "phiwatch_violations_opened_total{") {
		t.Errorf("%d, %s", w.Code, page)
	}
	if !strings.Contains(out.String(), "level=ERROR") || !strings.Contains(out.String(), "no such table: ledger_counts") {
		t.Errorf("logged %q", out.String())
	}
}
