// Package receivertest holds every receiver to the same behaviour, and has the
// fakes of their destinations for tests of the daemon: a Slack workspace and a
// PagerDuty service that record what reaches them and fail on request.
package receivertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"phiwatch/alerting"
)

// Suite describes a receiver over HTTP to Run.
type Suite struct {
	// New returns a receiver that sends to url, a server's base without a
	// trailing slash.
	New func(t *testing.T, url string) alerting.Receiver
	// Accepts handles a request as the destination does when all is well.
	Accepts http.HandlerFunc
	// Secrets are never in an error or a receipt: tokens, and the secret part
	// of URLs.
	Secrets []string
	// Class overrides the class of a status answered with an empty body
	// (below 300) or with an echo of the secrets.
	Class map[int]Class
}

// Class is what a receiver makes of a failure.
type Class string

// The classes of alerting.Receiver's errors.
const (
	Delivered Class = "delivered"
	Plain     Class = "plain"
	Permanent Class = "permanent"
	Paused    Class = "retry after"
)

// Of returns the class of an error.
func Of(err error) Class {
	if err == nil {
		return Delivered
	}
	if _, ok := alerting.RetryDelay(err); ok {
		return Paused
	}
	if alerting.IsPermanent(err) {
		return Permanent
	}
	return Plain
}

// class is what a status means unless the suite differs: 429 names a pause;
// timeouts and server errors pass, and so may a success without the answer of
// the destination; a redirect, which is never followed, and any other refusal
// need a person.
func (s Suite) class(status int) Class {
	if c, ok := s.Class[status]; ok {
		return c
	}
	switch {
	case status == http.StatusTooManyRequests:
		return Paused
	case status < 300, status >= 500, status == http.StatusRequestTimeout:
		return Plain
	default:
		return Permanent
	}
}

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	t.Run("every status has its class", s.statuses)
	t.Run("a pause is read from seconds and dates", s.pauses)
	t.Run("delivery and repetition succeed", s.succeeds)
	t.Run("a redirect is not followed", s.redirect)
	t.Run("a hanging destination is left when ctx ends", s.hangs)
	t.Run("a broken connection is plain", s.breaks)
	t.Run("an endless answer is bounded", s.endless)
}

func (s Suite) server(t *testing.T, h http.HandlerFunc) string {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

// check fails the test if err has not the class, or tells a secret.
func (s Suite) check(t *testing.T, what string, err error, want Class) {
	t.Helper()
	if got := Of(err); got != want {
		t.Errorf("%s: class %q, want %q: %v", what, got, want, err)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, secret := range s.Secrets {
			if text := fmt.Sprintf("%v %+v %#v", e, e, e); strings.Contains(text, secret) {
				t.Errorf("%s: an error tells the secret %s: %s", what, secret, text)
				return
			}
		}
	}
}

func (s Suite) statuses(t *testing.T) {
	var next atomic.Int64
	url := s.server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		status := int(next.Load())
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		if status >= 300 && status != http.StatusNotModified {
			// An echo, as some proxies do, in the form of each destination.
			_, _ = fmt.Fprintf(w, `{"ok":false,"error":%[1]q,"message":%[1]q,"errors":[%[1]q]}`, strings.Join(s.Secrets, " "))
		}
	})
	receiver := s.New(t, url)
	for status := 200; status < 600; status++ {
		next.Store(int64(status))
		_, err := receiver.Deliver(t.Context(), Group(1, Policy()), nil)
		s.check(t, fmt.Sprintf("status %d", status), err, s.class(status))
		if d, ok := alerting.RetryDelay(err); ok && d != 7*time.Second {
			t.Errorf("status %d: pause %s, want the 7 s of Retry-After", status, d)
		}
	}
}

func (s Suite) pauses(t *testing.T) {
	var next atomic.Value
	url := s.server(t, func(w http.ResponseWriter, r *http.Request) {
		if header := next.Load().(string); header != "" {
			w.Header().Set("Retry-After", header)
		}
		w.WriteHeader(http.StatusTooManyRequests)
	})
	receiver := s.New(t, url)
	for _, c := range []struct {
		name, header string
		min, max     time.Duration
	}{
		{"seconds", "42", 42 * time.Second, 42 * time.Second},
		{"none", "", 30 * time.Second, 30 * time.Second},
		{"nonsense", "soon", 30 * time.Second, 30 * time.Second},
		{"zero", "0", time.Second, time.Second},
		{"a date", time.Now().Add(2 * time.Minute).UTC().Format(http.TimeFormat), time.Minute, 121 * time.Second},
		{"a past date", "Mon, 02 Jan 2006 15:04:05 GMT", time.Second, time.Second},
		{"a year", "31536000", 15 * time.Minute, 15 * time.Minute},
	} {
		next.Store(c.header)
		_, err := receiver.Deliver(t.Context(), Group(1, Policy()), nil)
		if d, ok := alerting.RetryDelay(err); !ok || d < c.min || d > c.max {
			t.Errorf("%s: pause %s, want %s to %s: %v", c.name, d, c.min, c.max, err)
		}
	}
}

func (s Suite) succeeds(t *testing.T) {
	var requests atomic.Int64
	url := s.server(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		s.Accepts(w, r)
	})
	receiver := s.New(t, url)
	var have alerting.Receipt
	for _, g := range []alerting.Group{Group(1, Policy()), Group(2, Policy(), Mailbox()), Group(3, Acked(Policy())), Group(4, Restored(Policy()))} {
		got, err := receiver.Deliver(t.Context(), g, have)
		if err != nil {
			t.Fatalf("version %d: %v", g.Version, err)
		}
		before := requests.Load()
		again, err := receiver.Deliver(t.Context(), g, got)
		if err != nil || requests.Load() != before {
			t.Fatalf("version %d delivered again: %d requests, want none; error %v", g.Version, requests.Load()-before, err)
		}
		have = again
	}
	if n := requests.Load(); n < 3 {
		t.Errorf("%d requests for four versions", n)
	}
	for _, secret := range s.Secrets {
		if strings.Contains(string(have), secret) {
			t.Errorf("the receipt holds the secret %s", secret)
		}
	}
}

func (s Suite) redirect(t *testing.T) {
	var hits atomic.Int64
	other := s.server(t, func(w http.ResponseWriter, r *http.Request) { hits.Add(1); s.Accepts(w, r) })
	for _, code := range []int{301, 302, 303, 307, 308} {
		url := s.server(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, strings.Replace(other, "127.0.0.1", "localhost", 1)+r.URL.Path, code)
		})
		_, err := s.New(t, url).Deliver(t.Context(), Group(1, Policy()), nil)
		s.check(t, fmt.Sprintf("redirect %d", code), err, Permanent)
	}
	if n := hits.Load(); n > 0 {
		t.Errorf("the other host got %d requests", n)
	}
}

func (s Suite) hangs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url := s.server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	})
	_, err := s.New(t, url).Deliver(ctx, Group(1, Policy()), nil)
	s.check(t, "cancelled", err, Plain)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled in its chain", err)
	}
}

func (s Suite) breaks(t *testing.T) {
	cut := s.server(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err := s.New(t, cut).Deliver(t.Context(), Group(1, Policy()), nil)
	s.check(t, "cut", err, Plain)

	closed := httptest.NewServer(nil)
	closed.Close()
	_, err = s.New(t, closed.URL).Deliver(t.Context(), Group(1, Policy()), nil)
	s.check(t, "refused", err, Plain)
}

func (s Suite) endless(t *testing.T) {
	const limit = 64 << 20
	var sent atomic.Int64
	url := s.server(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		for chunk := make([]byte, 64<<10); sent.Load() < limit; sent.Add(int64(len(chunk))) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	_, err := s.New(t, url).Deliver(t.Context(), Group(1, Policy()), nil)
	s.check(t, "endless", err, Plain)
	if n := sent.Load(); n >= limit {
		t.Errorf("the receiver read all %d bytes", n)
	}
}
