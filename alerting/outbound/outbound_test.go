package outbound_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"phiwatch/alerting/outbound"
)

func get(t *testing.T, c *http.Client, url string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err == nil {
		t.Cleanup(func() { _ = resp.Body.Close() })
	}
	return resp, err
}

func TestGuardRefuses(t *testing.T) {
	listed := outbound.Options{AllowHosts: []string{"slack.com", ".pagerduty.example"}}
	for _, c := range []struct {
		name, url string
		options   outbound.Options
	}{
		{"plain http", "http://192.0.2.1/", outbound.Options{}},
		{"other scheme", "ftp://127.0.0.1/", outbound.Options{}},
		{"metadata service", "https://169.254.169.254/latest", outbound.Options{}},
		{"unspecified address", "https://0.0.0.0:1/", outbound.Options{}},
		{"link-local v6", "https://[fe80::1]:1/", outbound.Options{}},
		{"unlisted host", "https://evil.example/", listed},
		{"prefix of a listed host", "https://slack.com.evil.example/", listed},
		{"suffix without dot", "https://evilpagerduty.example/", listed},
		{"loopback is not exempt", "http://127.0.0.1:1/", listed},
	} {
		_, err := get(t, outbound.Client(c.options), c.url)
		if !errors.Is(err, outbound.ErrForbidden) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestGuardLetsListedHostsPass(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.UserAgent()) }))
	defer srv.Close()
	resp, err := get(t, outbound.Client(outbound.Options{AllowHosts: []string{"127.0.0.1"}, UserAgent: "phiwatch/test"}), srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "phiwatch/test" {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestRedirectIsReturnedNotFollowed(t *testing.T) {
	hits := make(chan string, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits <- r.URL.Path
		http.Redirect(w, r, "/next", http.StatusTemporaryRedirect)
	}))
	defer srv.Close()
	resp, err := get(t, outbound.Client(outbound.Options{}), srv.URL+"/first")
	if err != nil || resp.StatusCode != http.StatusTemporaryRedirect || len(hits) != 1 {
		t.Errorf("%v, %d requests", err, len(hits))
	}
}

func TestBodyIsBoundedAndSaysSo(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 100))
	}))
	defer srv.Close()
	for limit, want := range map[int64]error{99: outbound.ErrTooLarge, 100: nil, 101: nil} {
		resp, err := get(t, outbound.Client(outbound.Options{MaxResponse: limit}), srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(resp.Body); !errors.Is(err, want) || int64(len(b)) != min(limit, 100) {
			t.Errorf("limit %d: %d bytes, %v", limit, len(b), err)
		}
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10} //nolint:gosec // the point of the test
	srv.Config.ErrorLog = nil
	srv.StartTLS()
	defer srv.Close()
	_, err := get(t, outbound.Client(outbound.Options{}), srv.URL)
	if err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("got %v", err)
	}
}

func TestRedactHidesTheURLAndKeepsTheCause(t *testing.T) {
	secret := "https://hooks.example.net/services/secret-path"
	cause := errors.New("connection refused")
	got := outbound.Redact(&url.Error{Op: "Post", URL: secret, Err: &url.Error{Op: "Get", URL: secret, Err: cause}})
	if !errors.Is(got, cause) || strings.Contains(got.Error(), "secret-path") {
		t.Errorf("got %v", got)
	}
	_, err := url.Parse(secret + "%zz")
	if got := outbound.Redact(err); strings.Contains(got.Error(), "zz") {
		t.Errorf("got %v", got)
	}
	if got := outbound.Redact(cause); got != cause { //nolint:errorlint // the same one, not one like it
		t.Errorf("got %v", got)
	}
}

func TestPause(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 30 * time.Second, "x": 30 * time.Second, "-5": 30 * time.Second, "NaN": 30 * time.Second,
		"0": time.Second, "1.5": 1500 * time.Millisecond, "90": 90 * time.Second, "99999": 15 * time.Minute,
		"Mon, 02 Mar 2026 09:02:00 GMT": 2 * time.Minute, "Mon, 02 Mar 2026 08:00:00 GMT": time.Second,
	} {
		h := http.Header{}
		h.Set("Retry-After", header)
		if got := outbound.Pause(h, now, 30*time.Second); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func TestCheckURL(t *testing.T) {
	for s, want := range map[string]string{
		"https://slack.com/api/": "", "http://127.0.0.1:8080/x": "", "http://[::1]/": "", "http://localhost/": "",
		"slack.com": "not an absolute", "https:slack.com": "not an absolute", "https://secret%zz/": "not an absolute",
		"http://slack.com/": "plain http", "ftp://slack.com/": "must begin", "https://u:secret@slack.com/": "user name",
	} {
		err := outbound.CheckURL(s)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: %v, want %q", s, err, want)
		}
	}
}
