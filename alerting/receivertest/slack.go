package receivertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// SlackToken is the bot token that SlackServer takes.
const SlackToken = "xoxb-1111-2222-madeUpForTests"

// SlackChannel is the only channel of SlackServer's workspace, SlackChannelName
// its name. As in Slack, chat.update and conversations.history take the id only.
const (
	SlackChannel     = "C0LAKESIDE"
	SlackChannelName = "security-alerts"
)

// SlackServer is a workspace with one channel: chat.postMessage, chat.update,
// conversations.history and an incoming webhook, held to Slack's limits.
// It is safe for concurrent use.
type SlackServer struct {
	fake
	messages []SlackMessage // guarded by mu
}

// SlackMessage is a message as the channel shows it now.
type SlackMessage struct {
	Channel, TS string
	Webhook     bool // came by the webhook
	Text        string
	Blocks      json.RawMessage
	Attachments json.RawMessage
	Metadata    json.RawMessage
	Parse       string // how Slack was told to treat the text; must be none
	Edits       int
	History     []string // texts before each edit
}

// Content is all a message shows, for searching.
func (m SlackMessage) Content() string {
	return m.Text + "\n" + string(m.Blocks) + "\n" + string(m.Attachments)
}

// GroupKey is the key in the message's metadata.
func (m SlackMessage) GroupKey() string {
	var meta struct {
		EventPayload struct {
			GroupKey string `json:"group_key"`
		} `json:"event_payload"`
	}
	_ = json.Unmarshal(m.Metadata, &meta)
	return meta.EventPayload.GroupKey
}

// NewSlackServer starts a fake; the caller closes it.
func NewSlackServer() *SlackServer {
	s := &SlackServer{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/{method}", s.api)
	mux.HandleFunc("POST "+webhookPath, s.webhook)
	s.start(mux)
	return s
}

const webhookPath = "/services/T0LAKESIDE/B0LAKESIDE/madeUpSecretPath"

// APIURL goes into api_url.
func (s *SlackServer) APIURL() string { return s.server.URL + "/api/" }

// WebhookURL goes into the file named by webhook_url_file.
func (s *SlackServer) WebhookURL() string { return s.server.URL + webhookPath }

// Messages returns a copy of the channel, oldest first, deleted ones included.
func (s *SlackServer) Messages() []SlackMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Await waits until ok is true of the channel and returns the channel, or ctx's
// error and the channel as it is then.
func (s *SlackServer) Await(ctx context.Context, ok func([]SlackMessage) bool) ([]SlackMessage, error) {
	err := s.await(ctx, func() bool { return ok(s.Messages()) })
	return s.Messages(), err
}

func (s *SlackServer) api(w http.ResponseWriter, r *http.Request) {
	form := readForm(r)
	s.serve(w, r, func(f Fault) (int, string) {
		if f.Refuse != "" && !f.Applied {
			return http.StatusOK, fmt.Sprintf(`{"ok":false,"error":%q}`, f.Refuse)
		}
		answer := s.call(r.PathValue("method"), form)
		b, _ := json.Marshal(answer) // maps of strings and messages
		return http.StatusOK, string(b)
	})
}

func readForm(r *http.Request) url.Values {
	_ = r.ParseForm() // a form that does not parse lacks its token
	return r.PostForm
}

func refuse(code string) map[string]any { return map[string]any{"ok": false, "error": code} }

func (s *SlackServer) call(method string, form url.Values) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	channel := form.Get("channel")
	named := channel == SlackChannelName || channel == "#"+SlackChannelName
	switch {
	case form.Get("token") != SlackToken:
		return refuse("invalid_auth")
	case channel != SlackChannel && !(named && method == "chat.postMessage"):
		return refuse("channel_not_found")
	case method == "conversations.history":
		return map[string]any{"ok": true, "messages": s.history()}
	}
	m := SlackMessage{
		Channel: SlackChannel, Text: form.Get("text"), Metadata: json.RawMessage(form.Get("metadata")),
		Blocks: json.RawMessage(form.Get("blocks")), Attachments: json.RawMessage(form.Get("attachments")), Parse: form.Get("parse"),
	}
	if code := checkMessage(m); code != "" {
		return refuse(code)
	}
	switch method {
	case "chat.postMessage":
		return sent(s.add(m))
	case "chat.update":
		return s.update(form.Get("ts"), m)
	}
	return refuse("unknown_method")
}

func sent(m SlackMessage) map[string]any {
	return map[string]any{"ok": true, "channel": m.Channel, "ts": m.TS, "text": m.Text}
}

func (s *SlackServer) add(m SlackMessage) SlackMessage {
	m.TS = fmt.Sprintf("1772442845.%06d", len(s.messages)+1)
	s.messages = append(s.messages, m)
	return m
}

func (s *SlackServer) update(ts string, m SlackMessage) map[string]any {
	for i := range s.messages {
		old := &s.messages[i]
		if old.TS != ts {
			continue
		}
		m.TS, m.Edits, m.History = ts, old.Edits+1, append(slices.Clone(old.History), old.Text)
		m.keep(*old)
		*old = m
		return sent(m)
	}
	return refuse("message_not_found")
}

// keep does as chat.update: what an edit does not replace stays.
func (m *SlackMessage) keep(old SlackMessage) {
	for _, f := range []struct{ now, old *json.RawMessage }{
		{&m.Blocks, &old.Blocks}, {&m.Attachments, &old.Attachments}, {&m.Metadata, &old.Metadata},
	} {
		if len(*f.now) == 0 {
			*f.now = *f.old
		}
	}
}

func (s *SlackServer) history() []map[string]any {
	list := []map[string]any{}
	for _, m := range slices.Backward(s.messages) {
		entry := map[string]any{"type": "message", "ts": m.TS, "text": m.Text}
		if len(m.Metadata) > 0 {
			entry["metadata"] = m.Metadata
		}
		list = append(list, entry)
	}
	return list
}

func (s *SlackServer) webhook(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Text, Parse         string
		Blocks, Attachments json.RawMessage
	}
	bad := json.NewDecoder(r.Body).Decode(&in) != nil
	s.serve(w, r, func(f Fault) (int, string) {
		if f.Refuse != "" && !f.Applied {
			return http.StatusBadRequest, f.Refuse
		}
		m := SlackMessage{Channel: SlackChannel, Webhook: true, Text: in.Text, Blocks: in.Blocks, Attachments: in.Attachments, Parse: in.Parse}
		if bad || checkMessage(m) != "" {
			return http.StatusBadRequest, "invalid_blocks"
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.add(m)
		return http.StatusOK, "ok"
	})
}

// checkMessage holds a message to Slack's limits and returns Slack's code for
// the first one broken. The total is the strictest observed; see the comment on
// limits in package slack.
func checkMessage(m SlackMessage) string {
	var blocks []block
	if len(m.Blocks) > 0 && json.Unmarshal(m.Blocks, &blocks) != nil {
		return "invalid_blocks_format"
	}
	var attachments []struct{ Blocks []block }
	if len(m.Attachments) > 0 && json.Unmarshal(m.Attachments, &attachments) != nil {
		return "invalid_attachments"
	}
	for _, a := range attachments {
		blocks = append(blocks, a.Blocks...)
	}
	total := 0
	for _, b := range blocks {
		n, ok := b.size()
		if !ok {
			return "invalid_blocks"
		}
		total += n
	}
	switch {
	case len(blocks) > 50:
		return "invalid_blocks"
	case total > 11000:
		return "msg_blocks_too_long"
	case utf8.RuneCountInString(m.Text) > 4000:
		return "msg_too_long"
	case strings.TrimSpace(m.Text) == "" && len(blocks) == 0:
		return "no_text"
	}
	return ""
}

type block struct {
	Type     string
	Text     *textObject
	Fields   []textObject
	Elements []textObject
}

type textObject struct{ Type, Text string }

// size returns the characters of the block, and false if it breaks a limit.
func (b block) size() (int, bool) {
	limit := map[string]int{"header": 150, "section": 3000, "context": 3000}[b.Type]
	texts := slices.Concat(b.Fields, b.Elements)
	if b.Text != nil {
		texts = append(texts, *b.Text)
	}
	total, ok := 0, limit > 0 && len(texts) > 0 && len(b.Fields) <= 10 && len(b.Elements) <= 10
	for _, t := range texts {
		n := utf8.RuneCountInString(t.Text)
		total += n
		ok = ok && n > 0 && n <= limit && (t.Type == "plain_text" || t.Type == "mrkdwn" && b.Type != "header")
	}
	for _, f := range b.Fields {
		ok = ok && utf8.RuneCountInString(f.Text) <= 2000
	}
	return total, ok
}
