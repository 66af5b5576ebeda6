package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"phiwatch/alerting"
	"phiwatch/alerting/outbound"
	"phiwatch/alerting/secret"
)

// bot is one use of the Web API with the token as it is now.
type bot struct {
	api   *slack.Client
	token secret.Secret
}

func (r *Receiver) bot() (*bot, error) {
	token, err := r.config.token()
	if err != nil {
		return nil, err
	}
	api := slack.New(token.Reveal(), slack.OptionAPIURL(r.config.APIURL), slack.OptionHTTPClient(doer{r.client}))
	return &bot{api: api, token: token}, nil
}

// doer adapts the client to slack-go, which reads Retry-After as a whole number
// of seconds only and takes a 429 without one for a final answer.
type doer struct{ client *http.Client }

// Do sends the request.
func (d doer) Do(r *http.Request) (*http.Response, error) {
	resp, err := d.client.Do(r)
	if err != nil {
		return nil, err // classify redacts it
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		pause := outbound.Pause(resp.Header, time.Now(), defaultPause)
		resp.Header.Set("Retry-After", strconv.Itoa(int(pause.Round(time.Second)/time.Second)))
	}
	return resp, nil
}

func (b *bot) post(ctx context.Context, channel string, m message) (receipt, error) {
	return b.send(m, func(m message) (string, string, error) {
		return b.api.PostMessageContext(ctx, channel, options(m)...)
	})
}

func (b *bot) edit(ctx context.Context, at receipt, m message) (receipt, error) {
	return b.send(m, func(m message) (string, string, error) {
		channel, ts, _, err := b.api.UpdateMessageContext(ctx, at.Channel, at.TS, options(m)...)
		return channel, ts, err
	})
}

// send calls with m, and once more with the plain message if Slack takes
// exception to the layout.
func (b *bot) send(m message, call func(message) (channel, ts string, err error)) (receipt, error) {
	channel, ts, err := call(m)
	var e slack.SlackErrorResponse
	if errors.As(err, &e) && slices.Contains(layoutErrors, e.Err) {
		channel, ts, err = call(plainMessage(m))
	}
	if err == nil && (channel == "" || ts == "") {
		err = errors.New("the answer names no message; is there something other than Slack at api_url")
	}
	return receipt{Channel: channel, TS: ts}, err
}

// layoutErrors are Slack's ways to say that blocks, attachments or metadata
// are not to its taste.
var layoutErrors = []string{
	"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "invalid_attachments",
	"too_many_attachments", "invalid_metadata_format", "invalid_metadata_schema", "metadata_too_large",
}

func options(m message) []slack.MsgOption {
	attachments := []slack.Attachment{} // sent even if empty: an edit keeps what it does not replace
	if len(m.Attachment.Blocks.BlockSet) > 0 {
		attachments = append(attachments, m.Attachment)
	}
	return []slack.MsgOption{
		slack.MsgOptionText(m.Text, false), // escaped already
		slack.MsgOptionBlocks(m.Blocks...),
		slack.MsgOptionAttachments(attachments...),
		slack.MsgOptionMetadata(m.Metadata),
		slack.MsgOptionParse(false), // chat.update would parse by default
		slack.MsgOptionDisableMarkdown(),
		slack.MsgOptionDisableLinkUnfurl(),
		slack.MsgOptionDisableMediaUnfurl(),
	}
}

// find looks for the group's message among the channel's newest, for when its
// post may have been sent and not recorded. It is best effort: without the
// history scope, or with a channel given by name, the message is posted again
// and says so.
func (b *bot) find(ctx context.Context, channel string, g alerting.Group) receipt {
	h, err := b.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
		ChannelID: channel, Limit: historyLimit, IncludeAllMetadata: true,
	})
	if err != nil {
		return receipt{}
	}
	for _, m := range h.Messages {
		if m.Metadata.EventType == metadataType && m.Metadata.EventPayload[metadataKey] == g.Key {
			return receipt{Channel: channel, TS: m.Timestamp}
		}
	}
	return receipt{}
}

const historyLimit = 200

func (b *bot) classify(err error) error { return classify(err, b.token) }

// classify gives an error of slack-go its class.
func classify(err error, hide secret.Secret) error {
	var (
		limited *slack.RateLimitedError
		status  slack.StatusCodeError
		refused slack.SlackErrorResponse
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &limited):
		return alerting.RetryAfter(limited.RetryAfter, errors.New("too many messages"))
	case errors.As(err, &refused) && refused.Err == "":
		return errNotSlack
	case errors.As(err, &refused):
		return refusal(refused.Err, refused.Needed)
	case errors.As(err, &status):
		return statusError(status.Code, "check api_url, and whether a proxy stands between")
	case errors.Is(err, outbound.ErrForbidden):
		return alerting.Permanent(outbound.Redact(err))
	case unreadable(err):
		return fmt.Errorf("%w: %w", errNotSlack, err)
	default:
		return redact(outbound.Redact(err), hide)
	}
}

var errNotSlack = errors.New("the answer is not Slack's; is there something other than Slack at api_url, such as a proxy's page")

// unreadable reports whether an answer that arrived was no JSON, or none of
// Slack's. An error of the request, which may also be an EOF, is a *url.Error.
func unreadable(err error) bool {
	if _, request := errors.AsType[*url.Error](err); request {
		return false
	}
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, kind := errors.AsType[*json.UnmarshalTypeError](err)
	return syntax || kind || errors.Is(err, io.EOF)
}

// statusError is for answers of the HTTP server in front of Slack's API.
func statusError(code int, remedy string) error {
	err := fmt.Errorf("server answered %d", code)
	switch {
	case code < 300: // a captive portal or proxy says 200 to anything
		return fmt.Errorf("%w, which Slack does not; %s", err, remedy)
	case code >= 500, code == http.StatusRequestTimeout:
		return err
	}
	return alerting.Permanent(fmt.Errorf("%w; %s", err, remedy))
}
