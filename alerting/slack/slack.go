// Package slack tells a channel. With a bot token a group is one message,
// posted once and edited on every change, so that the channel shows what is
// open now; with an incoming webhook, which cannot edit, every change is a new
// message.
//
// Everything that comes from events is shown as inline code or with its markup
// characters replaced, never as a mention, a link or emphasis, and any input
// stays inside Slack's limits (text.go).
//
// An edit notifies nobody; Slack notifies on new messages only.
package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/slack-go/slack"

	"phiwatch/alerting"
)

// Receiver posts to one channel. It is safe for concurrent use.
type Receiver struct {
	config Config
	client *http.Client
}

var _ alerting.Receiver = (*Receiver)(nil)

// New checks c, its secret file included, and returns a Receiver that sends
// through client, which should come from package outbound. It sends nothing.
func New(c Config, client *http.Client) (*Receiver, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.WebhookURLFile != "" {
		if _, err := c.webhook(); err != nil {
			return nil, fmt.Errorf("webhook_url_file: %w", err)
		}
	} else if _, err := c.token(); err != nil {
		return nil, fmt.Errorf("token_file: %w", err)
	}
	c.APIURL = strings.TrimSuffix(cmp.Or(c.APIURL, DefaultAPIURL), "/") + "/"
	return &Receiver{config: c, client: client}, nil
}

// receipt is where the group's message is and what it says. A webhook's has no
// channel and no ts.
type receipt struct {
	Channel string `json:"channel,omitempty"`
	TS      string `json:"ts,omitempty"`
	Version int64  `json:"version"`
	Digest  string `json:"digest"`
}

// Deliver implements alerting.Receiver.
func (r *Receiver) Deliver(ctx context.Context, g alerting.Group, have alerting.Receipt) (alerting.Receipt, error) {
	var last receipt
	if have != nil {
		if err := json.Unmarshal(have, &last); err != nil {
			return nil, alerting.Permanent(fmt.Errorf("slack: receipt of group %s is unreadable: %w", g.Key, err))
		}
	}
	n := noNote
	if g.Repeat {
		n = mayRepeat
	}
	m := newMessage(g, n)
	// The version alone would repeat a webhook's message when a change does not
	// show; the digest alone would repeat it when an upgrade changes the layout.
	if last.Digest != "" && (last.Version == g.Version || last.Digest == m.digest()) {
		last.Version = g.Version
		return json.Marshal(last)
	}
	next, err := r.bring(ctx, g, m, last)
	if err != nil {
		return nil, fmt.Errorf("slack: %w", err)
	}
	next.Version, next.Digest = g.Version, m.digest()
	return json.Marshal(next)
}

// bring makes the channel show m.
func (r *Receiver) bring(ctx context.Context, g alerting.Group, m message, last receipt) (receipt, error) {
	if r.config.WebhookURLFile != "" {
		return receipt{}, r.hook(ctx, m)
	}
	b, err := r.bot()
	if err != nil {
		return receipt{}, err // plain: the file may be in the middle of a rotation
	}
	if last.TS == "" && g.Repeat {
		last = b.find(ctx, r.config.Channel, g)
		if last.TS != "" {
			m = newMessage(g, noNote) // found, so it is no repeat
		}
	}
	if last.TS != "" {
		at, err := b.edit(ctx, last, m)
		if !gone(err) {
			return at, b.classify(err)
		}
		m = newMessage(g, followsOld)
	}
	at, err := b.post(ctx, r.config.Channel, m)
	return at, b.classify(err)
}

// gone reports whether the edited message is out of reach for good, so that
// only a new one can tell.
func gone(err error) bool {
	var e slack.SlackErrorResponse
	if !errors.As(err, &e) {
		return false
	}
	switch e.Err {
	case "message_not_found", "cant_update_message", "edit_window_closed", "is_inactive", "channel_not_found", "block_mismatch":
		return true
	}
	return false
}
