// Package pagerduty pages through the Events API v2. A group is one alert:
// triggered while a violation is open, acknowledged when every open one is,
// resolved when none is. The group's key is the dedup_key, so sending an event
// twice is harmless: a repeated trigger joins the open alert and pages nobody.
//
// PagerDuty offers no way back from acknowledged: a new open violation in an
// acknowledged group is added to the alert without paging again. Route what
// must page on its own with a finer group_by.
package pagerduty

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"phiwatch/alerting"
	"phiwatch/alerting/outbound"
	"phiwatch/alerting/secret"
	"phiwatch/alerting/untrusted"
)

// defaultPause is the wait after a 429 without Retry-After.
const defaultPause = 30 * time.Second

// Receiver sends events to one integration. It is safe for concurrent use.
type Receiver struct {
	config Config
	client *http.Client
}

var _ alerting.Receiver = (*Receiver)(nil)

// New checks c, its file included, and returns a Receiver that sends through
// client, which should come from package outbound.
func New(c Config, client *http.Client) (*Receiver, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if _, err := c.key(); err != nil {
		return nil, fmt.Errorf("routing_key_file: %w", err)
	}
	c.URL = cmp.Or(c.URL, DefaultURL)
	return &Receiver{config: c, client: client}, nil
}

// receipt is the last event that PagerDuty accepted for the group.
type receipt struct {
	Action action `json:"action"`
	Digest string `json:"digest,omitempty"` // of the trigger's details
}

// Deliver implements alerting.Receiver.
func (r *Receiver) Deliver(ctx context.Context, g alerting.Group, have alerting.Receipt) (alerting.Receipt, error) {
	if !validKey(g.Key) {
		return nil, alerting.Permanent(fmt.Errorf("pagerduty: group key has %d bytes, outside 1 to %d", len(g.Key), maxKey))
	}
	var last receipt
	if have != nil {
		if err := json.Unmarshal(have, &last); err != nil {
			last = receipt{} // unreadable: send again, the dedup key folds it
		}
	}
	next := last
	for _, a := range r.steps(g, last, &next) {
		if err := r.send(ctx, newEvent(g, a, r.config.ClientURL)); err != nil {
			return nil, fmt.Errorf("pagerduty %s: %w", a, err)
		}
		next.Action = a
	}
	return json.Marshal(next)
}

// steps returns the events that take the alert from last to where g wants it.
func (r *Receiver) steps(g alerting.Group, last receipt, next *receipt) []action {
	switch want := wanted(g); want {
	case resolve:
		if last.Action == resolve {
			return nil
		}
		// Also when nothing was recorded: a trigger whose outcome is unknown
		// must not stay open, and PagerDuty ignores a resolve of nothing.
		next.Digest = ""
		return []action{resolve}
	case acknowledge:
		switch last.Action {
		case acknowledge:
			return nil
		case trigger:
			return []action{acknowledge}
		}
		next.Digest = digest(g)
		return []action{trigger, acknowledge} // there must be an alert to acknowledge
	default:
		d := digest(g)
		if last.Action == trigger && last.Digest == d {
			return nil
		}
		next.Digest = d
		return []action{trigger}
	}
}

// digest tells whether a trigger would say anything new.
func digest(g alerting.Group) string {
	g.Repeat = false
	b, _ := json.Marshal(newEvent(g, trigger, "").Payload) // plain strings: cannot fail
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12])
}

func (r *Receiver) send(ctx context.Context, ev event) error {
	key, err := r.config.key()
	if err != nil {
		return err // plain: the file may be in the middle of a rotation
	}
	ev.RoutingKey = key.Reveal()
	body, err := ev.encode()
	if err != nil {
		return alerting.Permanent(fmt.Errorf("encode event: %w", err))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.config.URL, bytes.NewReader(body))
	if err != nil {
		return alerting.Permanent(outbound.Redact(err))
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		return sendError(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body) // bounded by the client; only explains a refusal
	// A gateway may echo the request, and its own path may be a password.
	hide := strings.NewReplacer(key.Reveal(), secret.Redacted, cmp.Or(req.URL.Path, "/"), secret.Redacted)
	return classify(resp, hide.Replace(string(answer)), time.Now())
}

func sendError(err error) error {
	err = outbound.Redact(err)
	if errors.Is(err, outbound.ErrForbidden) {
		return alerting.Permanent(err)
	}
	return err
}

// classify turns the answer into an error as the API asks: 202 is accepted,
// 429 and 5xx are to be sent again, and the rest never will be accepted.
func classify(resp *http.Response, body string, now time.Time) error {
	switch code := resp.StatusCode; {
	case code == http.StatusAccepted:
		return nil
	case code < 300:
		// A captive portal or proxy says 200 to anything.
		return fmt.Errorf("server answered %d instead of 202; is there something other than PagerDuty at url", code)
	case code == http.StatusTooManyRequests:
		return alerting.RetryAfter(outbound.Pause(resp.Header, now, defaultPause), errors.New("too many events for this integration"))
	case code == http.StatusRequestTimeout, code >= 500:
		return fmt.Errorf("server answered %d", code)
	case code == http.StatusBadRequest:
		return alerting.Permanent(fmt.Errorf("event refused: %s; check that the routing key belongs to an Events API V2 integration", reasons(body)))
	case code == http.StatusForbidden, code == http.StatusUnauthorized:
		return alerting.Permanent(fmt.Errorf("server answered %d; check the routing key and whether a proxy stands between", code))
	default:
		return alerting.Permanent(fmt.Errorf("server answered %d; check url", code))
	}
}

// reasons extracts what PagerDuty says is wrong.
func reasons(body string) string {
	var answer struct {
		Message string   `json:"message"`
		Errors  []string `json:"errors"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return "no reason given"
	}
	parts := answer.Errors
	if answer.Message != "" {
		parts = append([]string{answer.Message}, parts...)
	}
	return cmp.Or(untrusted.Line(strings.Join(parts, "; "), 300), "no reason given")
}
