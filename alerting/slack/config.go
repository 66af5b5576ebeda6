package slack

import (
	"errors"
	"fmt"
	"strings"

	"phiwatch/alerting/outbound"
	"phiwatch/alerting/secret"
)

// DefaultAPIURL is the Web API of commercial Slack; GovSlack's is
// https://slack-gov.com/api/.
const DefaultAPIURL = "https://slack.com/api/"

// Config names one channel, reached by a bot or by an incoming webhook.
//
// Prefer the bot: it edits its message as violations open and are restored, so
// that the channel shows what is open now. A webhook cannot edit: each change
// is a new message. The bot needs the scope chat:write and membership of the
// channel; with channels:history (groups:history if private) it also finds a
// message again whose delivery was not recorded because the process died.
type Config struct {
	// TokenFile holds a bot token (xoxb-…). Secrets are read for each message:
	// rotation needs no restart.
	TokenFile secret.File `yaml:"token_file"`
	// Channel is a channel id (C…, best: it survives a rename) or name.
	Channel string `yaml:"channel"`
	// WebhookURLFile holds the URL of an incoming webhook. It is used instead
	// of TokenFile and Channel.
	WebhookURLFile secret.File `yaml:"webhook_url_file"`
	// APIURL replaces DefaultAPIURL.
	APIURL string `yaml:"api_url"`
}

// In returns c with relative file names taken from dir.
func (c Config) In(dir string) Config {
	c.TokenFile, c.WebhookURLFile = c.TokenFile.In(dir), c.WebhookURLFile.In(dir)
	return c
}

// Validate reports all that is wrong with c without touching a file. Each of
// the joined errors begins with the key it is about and a colon.
func (c Config) Validate() error {
	var errs []error
	add := func(key, message string) { errs = append(errs, fmt.Errorf("%s: %s", key, message)) }
	switch {
	case c.TokenFile == "" && c.WebhookURLFile == "":
		add("token_file", "missing; name a file with a bot token, or set webhook_url_file")
	case c.TokenFile != "" && c.WebhookURLFile != "":
		add("webhook_url_file", "set beside token_file; keep one of them")
	case c.WebhookURLFile != "" && c.Channel != "":
		add("channel", "a webhook posts to the channel it was made for; remove channel or use token_file")
	case c.WebhookURLFile != "" && c.APIURL != "":
		add("api_url", "has no effect with webhook_url_file; remove it")
	case c.TokenFile != "" && c.Channel == "":
		add("channel", "missing; name the channel's id (channel details, at the bottom)")
	}
	if strings.ContainsFunc(c.Channel, func(r rune) bool { return r <= ' ' || strings.ContainsRune("<>&,", r) }) {
		add("channel", "holds a space or one of <>&,; name one channel by its id")
	}
	if c.APIURL != "" {
		if err := outbound.CheckURL(c.APIURL); err != nil {
			errs = append(errs, fmt.Errorf("api_url: %w", err))
		}
	}
	return errors.Join(errs...)
}

// token reads the bot token.
func (c Config) token() (secret.Secret, error) {
	t, err := c.TokenFile.Read()
	if err != nil {
		return "", err
	}
	if strings.ContainsFunc(t.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("token in %s holds spaces or other characters no token has; copy it again", c.TokenFile)
	}
	for _, wrong := range []string{"xapp-", "xoxe-", "https:"} {
		if strings.HasPrefix(t.Reveal(), wrong) {
			return "", fmt.Errorf("token in %s begins with %s; use the app's Bot User OAuth Token (xoxb-…)", c.TokenFile, wrong)
		}
	}
	return t, nil
}

// webhook reads the webhook's URL.
func (c Config) webhook() (secret.Secret, error) {
	u, err := c.WebhookURLFile.Read()
	if err != nil {
		return "", err
	}
	if err := outbound.CheckURL(u.Reveal()); err != nil {
		return "", fmt.Errorf("webhook URL in %s %w", c.WebhookURLFile, err)
	}
	return u, nil
}
