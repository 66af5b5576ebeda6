package slack_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"phiwatch/alerting"
	"phiwatch/alerting/outbound"
	"phiwatch/alerting/receivertest"
	"phiwatch/alerting/secret"
	"phiwatch/alerting/slack"
)

const hookPath = "/services/T000/B000/very-secret-path"

func newBot(t *testing.T, api string) *slack.Receiver {
	t.Helper()
	return newReceiver(t, slack.Config{
		TokenFile: secret.File(receivertest.SecretFile(t, receivertest.SlackToken)), Channel: receivertest.SlackChannel, APIURL: api,
	})
}

func newHook(t *testing.T, url string) *slack.Receiver {
	t.Helper()
	return newReceiver(t, slack.Config{WebhookURLFile: secret.File(receivertest.SecretFile(t, url))})
}

func newReceiver(t *testing.T, c slack.Config) *slack.Receiver {
	t.Helper()
	r, err := slack.New(c, outbound.Client(outbound.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newServer(t *testing.T) *receivertest.SlackServer {
	s := receivertest.NewSlackServer()
	t.Cleanup(s.Close)
	return s
}

func deliver(t *testing.T, r alerting.Receiver, g alerting.Group, have alerting.Receipt) alerting.Receipt {
	t.Helper()
	got, err := r.Deliver(t.Context(), g, have)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestBotConforms(t *testing.T) {
	receivertest.Run(t, receivertest.Suite{
		New: func(t *testing.T, url string) alerting.Receiver { return newBot(t, url+"/api") },
		Accepts: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"ok":true,"channel":"C0LAKESIDE","ts":"1.2"}`))
		},
		Secrets: []string{receivertest.SlackToken},
	})
}

func TestWebhookConforms(t *testing.T) {
	receivertest.Run(t, receivertest.Suite{
		New:     func(t *testing.T, url string) alerting.Receiver { return newHook(t, url+hookPath) },
		Accepts: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) },
		Secrets: []string{hookPath},
	})
}

func TestBotEditsOneMessageFromOpenToRestored(t *testing.T) {
	s := newServer(t)
	r := newBot(t, s.APIURL())
	have := deliver(t, r, receivertest.Group(1, receivertest.Policy()), nil)
	have = deliver(t, r, receivertest.Group(2, receivertest.Policy(), receivertest.Mailbox()), have)
	deliver(t, r, receivertest.Group(3, receivertest.Restored(receivertest.Policy()), receivertest.Restored(receivertest.Mailbox())), have)
	messages := s.Messages()
	if len(messages) != 1 || messages[0].Edits != 2 {
		t.Fatalf("got %d messages, first with %d edits; want one with two", len(messages), messages[0].Edits)
	}
	if m := messages[0]; !strings.Contains(m.Content(), "Restored") || !strings.Contains(m.Content(), "#2eb67d") {
		t.Errorf("the restored state does not show: %s", m.Content())
	}
	if messages[0].Parse != "none" {
		t.Errorf("chat.update parses the text as %q", messages[0].Parse)
	}
	if key := messages[0].GroupKey(); key != "g-lakeside-ca-0001" {
		t.Errorf("metadata names group %q", key)
	}
}

func TestBotGivenAChannelNameEditsByID(t *testing.T) {
	s := newServer(t)
	r := newReceiver(t, slack.Config{
		TokenFile: secret.File(receivertest.SecretFile(t, receivertest.SlackToken)), Channel: receivertest.SlackChannelName, APIURL: s.APIURL(),
	})
	have := deliver(t, r, receivertest.Group(1, receivertest.Policy()), nil)
	deliver(t, r, receivertest.Group(2, receivertest.Acked(receivertest.Policy())), have)
	if m := s.Messages(); len(m) != 1 || m[0].Edits != 1 {
		t.Errorf("got %+v, want one message edited once", m)
	}
}

func TestBotPostsAnewWhenTheMessageCannotBeEdited(t *testing.T) {
	for _, code := range []string{"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"} {
		s := newServer(t)
		r := newBot(t, s.APIURL())
		have := deliver(t, r, receivertest.Group(1, receivertest.Policy()), nil)
		s.Inject(receivertest.Fault{Refuse: code})
		have = deliver(t, r, receivertest.Group(2, receivertest.Acked(receivertest.Policy())), have)
		deliver(t, r, receivertest.Group(3, receivertest.Restored(receivertest.Policy())), have)
		m := s.Messages()
		if len(m) != 2 || m[0].Edits != 0 || m[1].Edits != 1 {
			t.Errorf("%s: got %d messages, want a second one that is edited from then on", code, len(m))
		}
	}
}

func TestBotFindsTheMessageWhoseSendWasNotRecorded(t *testing.T) {
	s := newServer(t)
	r := newBot(t, s.APIURL())
	s.Inject(receivertest.Fault{Applied: true})
	if _, err := r.Deliver(t.Context(), receivertest.Group(1, receivertest.Policy()), nil); err == nil {
		t.Fatal("a cut connection gave no error")
	}
	again := receivertest.Group(1, receivertest.Policy())
	again.Repeat = true
	deliver(t, r, again, nil)
	m := s.Messages()
	if len(m) != 1 || strings.Contains(m[0].Content(), "may repeat") {
		t.Errorf("got %d messages, want the first one found again: %+v", len(m), m)
	}
}

func TestBotSaysThatItMayRepeatWhenItCannotLook(t *testing.T) {
	s := newServer(t)
	r := newBot(t, s.APIURL())
	g := receivertest.Group(1, receivertest.Policy())
	deliver(t, r, g, nil)
	g.Repeat = true
	s.Inject(receivertest.Fault{Refuse: "missing_scope"})
	have := deliver(t, r, g, nil)
	m := s.Messages()
	if len(m) != 2 || !strings.Contains(m[1].Content(), "may repeat an earlier message") {
		t.Fatalf("got %+v", m)
	}
	g.Version, g.Repeat = 2, false
	g.Violations[0] = receivertest.Acked(g.Violations[0])
	deliver(t, r, g, have)
	if m := s.Messages(); len(m) != 2 || m[1].Edits != 1 {
		t.Errorf("the repeated message is not the one that is edited: %+v", m)
	}
}

func TestRefusedLayoutIsSentPlain(t *testing.T) {
	s := newServer(t)
	for name, r := range map[string]*slack.Receiver{"bot": newBot(t, s.APIURL()), "webhook": newHook(t, s.WebhookURL())} {
		s.Inject(receivertest.Fault{Refuse: "invalid_blocks"})
		deliver(t, r, receivertest.Group(1, receivertest.Policy()), nil)
		m := s.Messages()
		last := m[len(m)-1]
		if !strings.Contains(last.Content(), "Conditional Access policy disabled") || strings.Contains(string(last.Blocks), "header") {
			t.Errorf("%s: got %s", name, last.Content())
		}
	}
}

func TestRefusedEditLeavesNothingOfTheOldLayout(t *testing.T) {
	s := newServer(t)
	r := newBot(t, s.APIURL())
	have := deliver(t, r, receivertest.Group(1, receivertest.Policy()), nil)
	s.Inject(receivertest.Fault{Refuse: "msg_blocks_too_long"})
	deliver(t, r, receivertest.Group(2, receivertest.Restored(receivertest.Policy())), have)
	m := s.Messages()
	if len(m) != 1 || !strings.Contains(m[0].Content(), "Restored") || strings.Contains(m[0].Content(), "What to do now") {
		t.Errorf("got %s", m[0].Content())
	}
}

func TestUpgradeDoesNotRepeatWhatWasTold(t *testing.T) {
	s := newServer(t)
	r := newHook(t, s.WebhookURL())
	g := receivertest.Group(7, receivertest.Policy())
	deliver(t, r, g, alerting.Receipt(`{"version":7,"digest":"of-an-older-layout"}`))
	if n := s.Requests(); n != 0 {
		t.Errorf("%d requests for a version already told", n)
	}
}

func TestWebhookPostsEachVisibleChangeOnce(t *testing.T) {
	s := newServer(t)
	r := newHook(t, s.WebhookURL())
	have := deliver(t, r, receivertest.Group(1, receivertest.Policy()), nil)
	unseen := receivertest.Policy()
	unseen.Evidence = append(unseen.Evidence, "entra-audit/0009")
	have = deliver(t, r, receivertest.Group(2, unseen), have)
	deliver(t, r, receivertest.Group(3, receivertest.Restored(unseen)), have)
	if m := s.Messages(); len(m) != 2 {
		t.Errorf("got %d messages, want two: opened and restored", len(m))
	}
}

func TestRefusalsAreClassedAndSayWhatHelps(t *testing.T) {
	for _, c := range []struct {
		code, remedy string
		class        receivertest.Class
	}{
		{"invalid_auth", "Bot User OAuth Token", receivertest.Permanent},
		{"not_in_channel", "/invite @phiwatch", receivertest.Permanent},
		{"channel_not_found", "channel", receivertest.Permanent},
		{"is_archived", "name another", receivertest.Permanent},
		{"missing_scope", "chat:write", receivertest.Permanent},
		{"rate_limited", "", receivertest.Paused},
		{"internal_error", "", receivertest.Plain},
		{"fatal_error", "", receivertest.Plain},
		{"something_new", "", receivertest.Plain},
	} {
		s := newServer(t)
		s.Inject(receivertest.Fault{Refuse: c.code})
		_, err := newBot(t, s.APIURL()).Deliver(t.Context(), receivertest.Group(1, receivertest.Policy()), nil)
		if got := receivertest.Of(err); got != c.class || !strings.Contains(err.Error(), c.remedy) {
			t.Errorf("%s: %s, want %s and %q: %v", c.code, got, c.class, c.remedy, err)
		}
	}
}

func TestWebhookRefusalsSayWhatHelps(t *testing.T) {
	for _, c := range []struct {
		status       int
		body, remedy string
	}{
		{404, "no_service", "make a new one"},
		{410, "channel_is_archived", "another"},
		{403, "action_prohibited", "administrator"},
		{403, "invalid_token", "copy it again"},
		{404, "<html>", "check the URL"},
	} {
		s := newServer(t)
		s.Inject(receivertest.Fault{Status: c.status, Body: c.body})
		_, err := newHook(t, s.WebhookURL()).Deliver(t.Context(), receivertest.Group(1, receivertest.Policy()), nil)
		if !alerting.IsPermanent(err) || !strings.Contains(err.Error(), c.remedy) {
			t.Errorf("%d %s: want permanent and %q: %v", c.status, c.body, c.remedy, err)
		}
	}
}

func TestAnswerOfSomethingElseIsNoDelivery(t *testing.T) {
	for name, body := range map[string]string{"portal": "<html>sign in</html>", "nothing": "", "list": "[]", "empty object": "{}", "ok only": `{"ok":true}`} {
		s := newServer(t)
		s.Inject(receivertest.Fault{Status: 200, Body: body})
		_, err := newBot(t, s.APIURL()).Deliver(t.Context(), receivertest.Group(1, receivertest.Policy()), nil)
		if receivertest.Of(err) != receivertest.Plain || !strings.Contains(err.Error(), "something other than Slack at api_url") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestRotatedTokenIsUsedWithoutRestart(t *testing.T) {
	s := newServer(t)
	path := receivertest.SecretFile(t, "xoxb-old")
	r := newReceiver(t, slack.Config{TokenFile: secret.File(path), Channel: receivertest.SlackChannel, APIURL: s.APIURL()})
	if _, err := r.Deliver(t.Context(), receivertest.Group(1, receivertest.Policy()), nil); !alerting.IsPermanent(err) {
		t.Fatalf("the old token: %v", err)
	}
	if err := os.WriteFile(path, []byte(receivertest.SlackToken), 0o600); err != nil {
		t.Fatal(err)
	}
	deliver(t, r, receivertest.Group(1, receivertest.Policy()), nil)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err := r.Deliver(t.Context(), receivertest.Group(2, receivertest.Acked(receivertest.Policy())), nil)
	if receivertest.Of(err) != receivertest.Plain {
		t.Errorf("a token file that is gone for now must be tried again: %v", err)
	}
}

func TestTimeoutOfTheClientIsPlain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		client := &http.Client{Timeout: 15 * time.Second, Transport: hanging{}}
		r, err := slack.New(slack.Config{WebhookURLFile: secret.File(receivertest.SecretFile(t, "https://hooks.slack.com"+hookPath))}, client)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = r.Deliver(ctx, receivertest.Group(1, receivertest.Policy()), nil)
		if receivertest.Of(err) != receivertest.Plain || strings.Contains(err.Error(), hookPath) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d != 15*time.Second {
			t.Errorf("gave up after %s", d)
		}
	})
}

// hanging answers when the request's context ends.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestConfigErrorsNameKeyAndRemedy(t *testing.T) {
	for _, c := range []struct {
		name   string
		config slack.Config
		want   []string
	}{
		{"empty", slack.Config{}, []string{"token_file: missing; name a file"}},
		{"both", slack.Config{TokenFile: "a", Channel: "C1", WebhookURLFile: "b"}, []string{"webhook_url_file: set beside token_file"}},
		{"no channel", slack.Config{TokenFile: "a"}, []string{"channel: missing"}},
		{"channel with webhook", slack.Config{WebhookURLFile: "a", Channel: "C1"}, []string{"channel: a webhook posts"}},
		{"two faults", slack.Config{TokenFile: "a", Channel: "<!here>", APIURL: "http://slack.example.net/"}, []string{"channel: holds", "api_url: is plain http"}},
		{"user in URL", slack.Config{TokenFile: "a", Channel: "C1", APIURL: "https://u:p@slack.example.net/"}, []string{"api_url: holds a user name"}},
	} {
		err := c.config.Validate()
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %q", c.name, err, want)
			}
		}
	}
	if err := (slack.Config{TokenFile: "a", Channel: "C1", APIURL: "https://slack-gov.com/api/"}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestNewChecksTheSecret(t *testing.T) {
	for name, c := range map[string]struct {
		config slack.Config
		want   string
	}{
		"absent":      {slack.Config{TokenFile: "/nonexistent/token", Channel: "C1"}, "create the file or correct the path"},
		"empty":       {slack.Config{TokenFile: secret.File(receivertest.SecretFile(t, "")), Channel: "C1"}, "file is empty"},
		"app token":   {slack.Config{TokenFile: secret.File(receivertest.SecretFile(t, "xapp-1-madeup")), Channel: "C1"}, "Bot User OAuth Token"},
		"not a URL":   {slack.Config{WebhookURLFile: secret.File(receivertest.SecretFile(t, "T000/B000/very-secret-path"))}, "not an absolute URL"},
		"odd URL":     {slack.Config{WebhookURLFile: secret.File(receivertest.SecretFile(t, "https://x/very-secret-path%zz"))}, "not an absolute URL"},
		"plain http":  {slack.Config{WebhookURLFile: secret.File(receivertest.SecretFile(t, "http://hooks.example.net/very-secret-path"))}, "plain http"},
		"many values": {slack.Config{TokenFile: secret.File(receivertest.SecretFile(t, "xoxb-very-secret-path\nxoxb-2")), Channel: "C1"}, "more than one line"},
	} {
		_, err := slack.New(c.config, http.DefaultClient)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "very-secret-path") {
			t.Errorf("%s: got %v, want %q and no secret", name, err, c.want)
		}
	}
}

func TestReceiptOfAnotherKindIsPermanent(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	_, err := newBot(t, srv.URL).Deliver(t.Context(), receivertest.Group(1, receivertest.Policy()), alerting.Receipt(`["x"]`))
	if !alerting.IsPermanent(err) {
		t.Errorf("got %v", err)
	}
}
