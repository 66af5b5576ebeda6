// Package outbound builds the one kind of HTTP client through which phiwatch
// sends anything to anybody. What it sends carries tokens and names, so:
//
//   - TLS 1.2 or newer; plain HTTP only to loopback;
//   - no redirect is ever followed: a redirected POST would hand its
//     credentials to whoever the answer names, or silently become a GET;
//   - hosts may be limited to a list;
//   - link-local addresses (the cloud metadata service) are never dialled;
//   - every phase has a timeout, and response bodies are bounded;
//   - the proxy is taken from HTTPS_PROXY, HTTP_PROXY and NO_PROXY;
//   - errors made fit for logs by Redact hold no URL.
package outbound

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"
)

// ErrForbidden is wrapped by the errors of requests that the guard refused to
// send. No retry helps: the configuration must change.
var ErrForbidden = errors.New("refused by the outbound guard")

// ErrTooLarge is returned by reads of a response body past its bound.
var ErrTooLarge = errors.New("response body too large")

// Options limits a client. The zero value is the default for every receiver.
type Options struct {
	// Timeout bounds a whole request, body included. Default 15 s.
	Timeout time.Duration
	// AllowHosts, if not empty, are the only hosts that may be reached: exact
	// names ("slack.com"), or with a leading dot a domain and all below it
	// (".slack.com"). Ports do not matter. Loopback is not exempt.
	AllowHosts []string
	// MaxResponse bounds a response body in bytes. Default 1 MiB.
	MaxResponse int64
	// UserAgent is sent unless the request has one. Default "phiwatch".
	UserAgent string
}

// Client returns a client held to o. It is safe for concurrent use and meant
// to be shared: it keeps its connections.
func Client(o Options) *http.Client {
	o.Timeout = cmp.Or(o.Timeout, 15*time.Second)
	o.MaxResponse = cmp.Or(o.MaxResponse, 1<<20)
	o.UserAgent = cmp.Or(o.UserAgent, "phiwatch")
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second, Control: checkDial}
	return &http.Client{
		Timeout: o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
		Transport: &guard{Options: o, next: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    5 * time.Second,
			ResponseHeaderTimeout:  o.Timeout,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost:    4,
			IdleConnTimeout:        90 * time.Second,
			ForceAttemptHTTP2:      true,
		}},
	}
}

// guard is the transport that checks requests and bounds responses.
type guard struct {
	Options
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := g.check(r); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	if r.Header.Get("User-Agent") == "" {
		r = r.Clone(r.Context())
		r.Header.Set("User-Agent", g.UserAgent)
	}
	resp, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: g.MaxResponse}
	return resp, nil
}

func (g *guard) check(r *http.Request) error {
	host := strings.ToLower(r.URL.Hostname())
	switch {
	case r.URL.Scheme != "https" && r.URL.Scheme != "http":
		return fmt.Errorf("%w: scheme %q is neither https nor http", ErrForbidden, r.URL.Scheme)
	case r.URL.Scheme == "http" && !IsLoopback(host):
		return fmt.Errorf("%w: plain http to %s; use https", ErrForbidden, host)
	case len(g.AllowHosts) > 0 && !slices.ContainsFunc(g.AllowHosts, func(a string) bool { return matchHost(a, host) }):
		return fmt.Errorf("%w: host %s is not on the list of allowed hosts", ErrForbidden, host)
	}
	return nil
}

func matchHost(allowed, host string) bool {
	allowed = strings.ToLower(allowed)
	if domain, ok := strings.CutPrefix(allowed, "."); ok {
		return host == domain || strings.HasSuffix(host, allowed)
	}
	return host == allowed
}

// IsLoopback reports whether host, a name or address without port, is this machine.
func IsLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// checkDial sees every address after name resolution, so a name that resolves
// to the metadata service does not get around it.
func checkDial(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: address %s", ErrForbidden, address)
	}
	if a := ap.Addr().Unmap(); a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() {
		return fmt.Errorf("%w: %s is a link-local, multicast or unspecified address", ErrForbidden, a)
	}
	return nil
}

// boundedBody fails, rather than ends, past its bound: a cut answer must not
// pass for a whole one.
type boundedBody struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		if n, err := b.ReadCloser.Read(make([]byte, 1)); n == 0 {
			return 0, err
		}
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}
