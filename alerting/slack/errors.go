package slack

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"phiwatch/alerting"
	"phiwatch/alerting/secret"
	"phiwatch/alerting/untrusted"
)

// defaultPause is the wait after a rate limit that names none; chat.postMessage
// allows about one message a second and channel.
const defaultPause = 30 * time.Second

// remedies are the refusals that no retry helps, with what does
// (docs.slack.dev, errors of chat.postMessage, chat.update and webhooks).
// A refusal not listed is retried: better once too often than an alert lost.
var remedies = map[string]string{
	"not_authed":                            "write the bot token into token_file",
	"invalid_auth":                          "replace the token in token_file by the app's Bot User OAuth Token",
	"account_inactive":                      "the bot's account was deleted: install the app again and replace the token",
	"token_revoked":                         "install the app again and replace the token in token_file",
	"token_expired":                         "replace the token in token_file; turn token rotation off for the app",
	"not_allowed_token_type":                "use the app's Bot User OAuth Token (xoxb-…)",
	"missing_scope":                         "add the scope chat:write to the app and install it again",
	"no_permission":                         "add the scope chat:write to the app, and invite the bot: /invite @phiwatch",
	"channel_not_found":                     "correct channel (use its id), and if it is private invite the bot: /invite @phiwatch",
	"not_in_channel":                        "invite the bot: /invite @phiwatch",
	"is_archived":                           "the channel is archived: name another",
	"channel_is_archived":                   "the channel is archived: make a webhook for another",
	"restricted_action":                     "let the app post to the channel (channel settings, posting permissions)",
	"restricted_action_read_only_channel":   "the channel is read-only: let the app post to it or name another",
	"restricted_action_thread_only_channel": "the channel takes threads only: name another",
	"ekm_access_denied":                     "an administrator has suspended posting",
	"access_denied":                         "ask the workspace's administrator to allow the app",
	"team_access_not_granted":               "ask the organisation's administrator to approve the app for the workspace",
	"org_login_required":                    "the workspace is being moved: install the app again when that is done",
	"no_service":                            "the webhook was removed or disabled: make a new one and replace the URL in webhook_url_file",
	"no_active_hooks":                       "the webhook is disabled: make a new one and replace the URL in webhook_url_file",
	"no_team":                               "the workspace is gone or the URL in webhook_url_file is incomplete",
	"invalid_token":                         "the URL in webhook_url_file is incomplete or was revoked: copy it again",
	"action_prohibited":                     "an administrator restricts posting to the channel: make a webhook for another",
	"posting_to_general_channel_denied":     "an administrator restricts posting to #general: make a webhook for another channel",
	"user_not_found":                        "the user who made the webhook is gone: make a new one",
	"invalid_payload":                       "report this as a bug of phiwatch",
	"invalid_blocks":                        "report this as a bug of phiwatch",
	"invalid_blocks_format":                 "report this as a bug of phiwatch",
	"invalid_arguments":                     "check api_url; if it is right, report this as a bug of phiwatch",
	"unknown_method":                        "check api_url: it must end in /api/",
	"method_deprecated":                     "update phiwatch",
	"deprecated_endpoint":                   "update phiwatch",
}

// refusal gives an error code of Slack its class.
func refusal(code, needed string) error {
	shown := refusalCode(code)
	switch code {
	case "ratelimited", "rate_limited", "message_limit_exceeded":
		return alerting.RetryAfter(defaultPause, errors.New(shown))
	}
	remedy, ok := remedies[code]
	if !ok {
		return fmt.Errorf("refused: %s", shown)
	}
	if code == "missing_scope" && needed != "" {
		remedy = "add the scope " + untrusted.Line(needed, 80) + " to the app and install it again"
	}
	return alerting.Permanent(fmt.Errorf("refused: %s; %s", shown, remedy))
}

// redact is for errors of unknown making: it keeps the chain, for errors.Is,
// and hides the secret in the text.
func redact(err error, hide secret.Secret) error {
	if hide == "" || !strings.Contains(err.Error(), hide.Reveal()) {
		return err
	}
	return &redacted{err, strings.ReplaceAll(err.Error(), hide.Reveal(), secret.Redacted)}
}

type redacted struct {
	cause error
	text  string
}

// Error implements error.
func (e *redacted) Error() string { return e.text }

// Is lets errors.Is see the cause, whose text stays hidden from errors.As.
func (e *redacted) Is(target error) bool { return errors.Is(e.cause, target) }
