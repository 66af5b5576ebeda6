package receivertest_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"phiwatch/alerting/receivertest"
)

func post(ctx context.Context, s *receivertest.SlackServer, method string, form url.Values) (*http.Response, error) {
	form.Set("token", receivertest.SlackToken)
	form.Set("channel", receivertest.SlackChannel)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.APIURL()+method, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	return resp, err
}

func TestAppliedFaultHasItsEffectAndFails(t *testing.T) {
	for name, c := range map[string]struct {
		fault    receivertest.Fault
		messages int
	}{
		"cut after the effect": {receivertest.Fault{Applied: true}, 1},
		"cut before":           {receivertest.Fault{Cut: true}, 0},
		"500 after the effect": {receivertest.Fault{Applied: true, Status: 500}, 1},
		"500 before":           {receivertest.Fault{Status: 500}, 0},
		"good behaviour":       {receivertest.Fault{}, 1},
	} {
		s := receivertest.NewSlackServer()
		s.Inject(c.fault)
		resp, err := post(t.Context(), s, "chat.postMessage", url.Values{"text": {"x"}})
		failed := err != nil || resp.StatusCode != http.StatusOK
		if n := len(s.Messages()); n != c.messages || failed != (c.fault != receivertest.Fault{}) {
			t.Errorf("%s: %d messages, failed %v", name, n, failed)
		}
		s.Close()
	}
}

func TestHangLastsUntilTheFakeCloses(t *testing.T) {
	s := receivertest.NewSlackServer()
	s.Inject(receivertest.Fault{Hang: true})
	ended := make(chan error, 1)
	go func() {
		_, err := post(t.Context(), s, "chat.postMessage", url.Values{"text": {"x"}})
		ended <- err
	}()
	for s.Requests() == 0 {
		select {
		case err := <-ended:
			t.Fatalf("the request did not hang: %v", err)
		default:
		}
	}
	s.Close()
	if err := <-ended; err == nil {
		t.Error("the request succeeded")
	}
}

func TestAwaitSeesTheChange(t *testing.T) {
	s := receivertest.NewSlackServer()
	defer s.Close()
	go func() { _, _ = post(t.Context(), s, "chat.postMessage", url.Values{"text": {"hello"}}) }()
	m, err := s.Await(t.Context(), func(m []receivertest.SlackMessage) bool { return len(m) == 1 })
	if err != nil || m[0].Text != "hello" {
		t.Errorf("got %+v, %v", m, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Await(ctx, func([]receivertest.SlackMessage) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestFakeHoldsSlacksLimits(t *testing.T) {
	section := func(n int) string {
		return `{"type":"section","text":{"type":"mrkdwn","text":"` + strings.Repeat("x", n) + `"}}`
	}
	s := receivertest.NewSlackServer()
	defer s.Close()
	for blocks, want := range map[string]int{
		section(3000): 1,
		section(3001): 0,
		section(0):    0,
		strings.TrimSuffix(strings.Repeat(section(1)+",", 51), ","):     0,
		strings.TrimSuffix(strings.Repeat(section(2900)+",", 4), ","):   0,
		`{"type":"header","text":{"type":"mrkdwn","text":"formatted"}}`: 0,
		`{"type":"unheard_of"}`: 0,
	} {
		before := len(s.Messages())
		if _, err := post(t.Context(), s, "chat.postMessage", url.Values{"text": {"x"}, "blocks": {"[" + blocks + "]"}}); err != nil {
			t.Fatal(err)
		}
		if n := len(s.Messages()) - before; n != want {
			t.Errorf("%.80s: %d messages, want %d", blocks, n, want)
		}
	}
}
