package pagerduty_test

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"phiwatch/alerting"
	"phiwatch/alerting/outbound"
	"phiwatch/alerting/pagerduty"
	"phiwatch/alerting/receivertest"
	"phiwatch/alerting/secret"
)

func newReceiver(t *testing.T, url string) *pagerduty.Receiver {
	t.Helper()
	r, err := pagerduty.New(pagerduty.Config{
		RoutingKeyFile: secret.File(receivertest.SecretFile(t, receivertest.PagerDutyKey)), URL: url,
	}, outbound.Client(outbound.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newServer(t *testing.T) *receivertest.PagerDutyServer {
	s := receivertest.NewPagerDutyServer()
	t.Cleanup(s.Close)
	return s
}

func TestConforms(t *testing.T) {
	receivertest.Run(t, receivertest.Suite{
		New:     func(t *testing.T, url string) alerting.Receiver { return newReceiver(t, url+"/gateway-token/enqueue") },
		Accepts: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) },
		Secrets: []string{receivertest.PagerDutyKey, "/gateway-token/enqueue"},
		Class:   map[int]receivertest.Class{http.StatusAccepted: receivertest.Delivered},
	})
}

// The page goes through every state, each transition sent once.
func TestPageFollowsTheGroup(t *testing.T) {
	policy, mailbox := receivertest.Policy(), receivertest.Mailbox()
	acked, restored := receivertest.Acked(policy), receivertest.Restored(policy)
	for _, c := range []struct {
		name      string
		versions  [][]alerting.Violation
		actions   []string
		status    string
		incidents int
	}{
		{"opened and restored", [][]alerting.Violation{{policy}, {restored}}, []string{"trigger", "resolve"}, "resolved", 1},
		{"acknowledged between", [][]alerting.Violation{{policy}, {acked}, {restored}}, []string{"trigger", "acknowledge", "resolve"}, "resolved", 1},
		{"first seen acknowledged", [][]alerting.Violation{{acked}}, []string{"trigger", "acknowledge"}, "acknowledged", 1},
		{"one of two acknowledged", [][]alerting.Violation{{policy, mailbox}, {mailbox, acked}}, []string{"trigger", "trigger"}, "triggered", 1},
		{"one of two restored", [][]alerting.Violation{{policy, mailbox}, {mailbox, restored}, {receivertest.Restored(mailbox), restored}}, []string{"trigger", "trigger", "resolve"}, "resolved", 1},
		{"still acknowledged", [][]alerting.Violation{{policy}, {acked}, {acked}}, []string{"trigger", "acknowledge"}, "acknowledged", 1},
		{"closed", [][]alerting.Violation{{policy}, {receivertest.Closed(policy)}, {receivertest.Closed(policy)}}, []string{"trigger", "resolve"}, "resolved", 1},
		{"weakened again", [][]alerting.Violation{{policy}, {restored}, {policy}}, []string{"trigger", "resolve", "trigger"}, "triggered", 2},
		{"over before it was told", [][]alerting.Violation{{restored}}, nil, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			r := newReceiver(t, s.URL())
			var have alerting.Receipt
			for i, violations := range c.versions {
				var err error
				if have, err = r.Deliver(t.Context(), receivertest.Group(int64(i+1), violations...), have); err != nil {
					t.Fatal(err)
				}
			}
			page := s.Pages()["g-lakeside-ca-0001"]
			if !slices.Equal(page.Actions, c.actions) || page.Status != c.status || page.Incidents != c.incidents {
				t.Errorf("got %s after %v, %d pages; want %s after %v, %d", page.Status, page.Actions, page.Incidents, c.status, c.actions, c.incidents)
			}
		})
	}
}

func TestUnrecordedTriggerPagesOnceAndIsResolved(t *testing.T) {
	s := newServer(t)
	r := newReceiver(t, s.URL())
	s.Inject(receivertest.Fault{Applied: true})
	if _, err := r.Deliver(t.Context(), receivertest.Group(1, receivertest.Policy()), nil); receivertest.Of(err) != receivertest.Plain {
		t.Fatalf("a cut connection gave %v", err)
	}
	again := receivertest.Group(1, receivertest.Policy())
	again.Repeat = true
	if _, err := r.Deliver(t.Context(), again, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Deliver(t.Context(), receivertest.Group(2, receivertest.Restored(receivertest.Policy())), nil); err != nil {
		t.Fatal(err)
	}
	if p := s.Pages()["g-lakeside-ca-0001"]; p.Incidents != 1 || p.Status != "resolved" {
		t.Errorf("got %+v, want one page, resolved", p)
	}
}

func TestRefusalTellsPagerDutysReasons(t *testing.T) {
	s := newServer(t)
	s.Inject(receivertest.Fault{Status: 400, Body: `{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]}`})
	_, err := newReceiver(t, s.URL()).Deliver(t.Context(), receivertest.Group(1, receivertest.Policy()), nil)
	if !alerting.IsPermanent(err) || !strings.Contains(err.Error(), "should be 32 characters") {
		t.Errorf("got %v", err)
	}
}

func TestRotatedKeyIsUsedWithoutRestart(t *testing.T) {
	s := newServer(t)
	path := receivertest.SecretFile(t, strings.Repeat("0", 32))
	r, err := pagerduty.New(pagerduty.Config{RoutingKeyFile: secret.File(path), URL: s.URL()}, outbound.Client(outbound.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	g := receivertest.Group(1, receivertest.Policy())
	if _, err := r.Deliver(t.Context(), g, nil); !alerting.IsPermanent(err) {
		t.Fatalf("the old key: %v", err)
	}
	if err := os.WriteFile(path, []byte(receivertest.PagerDutyKey), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Deliver(t.Context(), g, nil); err != nil {
		t.Error(err)
	}
}

func TestUnusableGroupKeyIsPermanent(t *testing.T) {
	r := newReceiver(t, "")
	for _, key := range []string{"", strings.Repeat("k", 256)} {
		g := receivertest.Group(1, receivertest.Policy())
		g.Key = key
		if _, err := r.Deliver(t.Context(), g, nil); !alerting.IsPermanent(err) {
			t.Errorf("key of %d: %v", len(key), err)
		}
	}
}

func TestConfigErrorsNameKeyAndRemedy(t *testing.T) {
	for _, c := range []struct {
		config pagerduty.Config
		want   string
	}{
		{pagerduty.Config{}, "routing_key_file: missing; name a file"},
		{pagerduty.Config{RoutingKeyFile: "a", URL: "ftp://x"}, "url: must begin with https"},
		{pagerduty.Config{RoutingKeyFile: "a", ClientURL: "phiwatch"}, "client_url: not an absolute URL"},
		{pagerduty.Config{RoutingKeyFile: "/nonexistent/key"}, "routing_key_file: read secret"},
		{pagerduty.Config{RoutingKeyFile: secret.File(receivertest.SecretFile(t, "u+madeUpRESTtoken"))}, "copy the Integration Key"},
	} {
		_, err := pagerduty.New(c.config, http.DefaultClient)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "madeUpRESTtoken") {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}
