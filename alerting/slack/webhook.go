package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"phiwatch/alerting"
	"phiwatch/alerting/outbound"
	"phiwatch/alerting/secret"
)

// hook posts m to the incoming webhook. slack-go's PostWebhook is not used: it
// drops the body of a refusal, which is the only place that says why.
func (r *Receiver) hook(ctx context.Context, m message) error {
	url, err := r.config.webhook()
	if err != nil {
		return err // plain: the file may be in the middle of a rotation
	}
	err = r.postHook(ctx, url, m)
	if errors.Is(err, errLayout) {
		err = r.postHook(ctx, url, plainMessage(m))
	}
	if errors.Is(err, errLayout) {
		return alerting.Permanent(err)
	}
	return err
}

// errLayout is a refusal of the message's form.
var errLayout = errors.New("layout refused")

func (r *Receiver) postHook(ctx context.Context, url secret.Secret, m message) error {
	body, err := json.Marshal(webhookMessage(m))
	if err != nil {
		return alerting.Permanent(fmt.Errorf("encode message: %w", err))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url.Reveal(), bytes.NewReader(body))
	if err != nil {
		return alerting.Permanent(outbound.Redact(err))
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		return classify(err, url)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // only explains a refusal
	return classifyHook(resp, strings.TrimSpace(string(answer)))
}

func webhookMessage(m message) slack.WebhookMessage {
	no := false
	w := slack.WebhookMessage{Text: m.Text, Parse: "none", Blocks: &slack.Blocks{BlockSet: m.Blocks}, UnfurlLinks: &no, UnfurlMedia: &no}
	if len(m.Attachment.Blocks.BlockSet) > 0 {
		w.Attachments = []slack.Attachment{m.Attachment}
	}
	return w
}

// classifyHook reads a webhook's answer: "ok", or a status with the code of the
// error as plain text.
func classifyHook(resp *http.Response, answer string) error {
	switch code := resp.StatusCode; {
	case code == http.StatusOK && answer == "ok":
		return nil
	case code < 300:
		return fmt.Errorf("server answered %d and not ok; is there something other than Slack at the webhook's URL", code)
	case code == http.StatusTooManyRequests:
		return alerting.RetryAfter(outbound.Pause(resp.Header, time.Now(), defaultPause), errors.New("too many messages"))
	case code == http.StatusBadRequest && strings.HasPrefix(answer, "invalid_"):
		if answer != "invalid_token" {
			return fmt.Errorf("%w: %s; report this as a bug of phiwatch", errLayout, refusalCode(answer))
		}
	}
	if _, known := remedies[answer]; known && resp.StatusCode < 500 {
		return refusal(answer, "")
	}
	return statusError(resp.StatusCode, "check the URL in webhook_url_file, and whether a proxy stands between")
}

// refusalCode keeps an error code and nothing a proxy might echo.
func refusalCode(s string) string {
	end := strings.IndexFunc(s, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') })
	if end < 0 {
		end = len(s)
	}
	return s[:min(end, 60)]
}
