package receivertest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"unicode/utf8"
)

// PagerDutyKey is the routing key that PagerDutyServer takes.
const PagerDutyKey = "0123456789abcdef0123456789abcdef"

// PagerDutyServer is the Events API v2 in front of one service. It is safe for
// concurrent use.
type PagerDutyServer struct {
	fake
	pages map[string]*Page // by dedup key; guarded by mu
}

// Page is what PagerDuty makes of the events of one dedup key.
type Page struct {
	Key    string
	Status string // triggered, acknowledged or resolved
	// Incidents counts how often people were paged: a trigger when no alert
	// was open. More than one is a doubled page, unless resolved in between.
	Incidents int
	Actions   []string // every accepted event_action, in order
	Summary   string   // of the last trigger
	Severity  string
	Payload   json.RawMessage // of the last trigger
}

// NewPagerDutyServer starts a fake; the caller closes it.
func NewPagerDutyServer() *PagerDutyServer {
	s := &PagerDutyServer{pages: map[string]*Page{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v2/enqueue", s.enqueue)
	s.start(mux)
	return s
}

// URL goes into url.
func (s *PagerDutyServer) URL() string { return s.server.URL + "/v2/enqueue" }

// Pages returns a copy of all pages by dedup key.
func (s *PagerDutyServer) Pages() map[string]Page {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]Page, len(s.pages))
	for k, p := range maps.All(s.pages) {
		page := *p
		page.Actions = append([]string(nil), p.Actions...)
		out[k] = page
	}
	return out
}

// Await waits until ok is true of the pages and returns them, or ctx's error
// and the pages as they are then.
func (s *PagerDutyServer) Await(ctx context.Context, ok func(map[string]Page) bool) (map[string]Page, error) {
	err := s.await(ctx, func() bool { return ok(s.Pages()) })
	return s.Pages(), err
}

type pagerDutyEvent struct {
	RoutingKey string          `json:"routing_key"`
	Action     string          `json:"event_action"`
	Key        string          `json:"dedup_key"`
	Payload    json.RawMessage `json:"payload"`
}

func (s *PagerDutyServer) enqueue(w http.ResponseWriter, r *http.Request) {
	var ev pagerDutyEvent
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 512<<10)).Decode(&ev)
	s.serve(w, r, func(Fault) (int, string) {
		if err != nil {
			return invalid("JSON parse error")
		}
		return s.apply(ev)
	})
}

func invalid(reason string) (int, string) {
	return http.StatusBadRequest, fmt.Sprintf(`{"status":"invalid event","message":"Event object is invalid","errors":[%q]}`, reason)
}

func (s *PagerDutyServer) apply(ev pagerDutyEvent) (int, string) {
	var p struct{ Summary, Source, Severity string }
	_ = json.Unmarshal(ev.Payload, &p) // absent unless a trigger; checked below
	switch n := utf8.RuneCountInString(p.Summary); {
	case len(ev.RoutingKey) != 32:
		return invalid("Length of 'routing_key' is incorrect (should be 32 characters)")
	case ev.RoutingKey != PagerDutyKey:
		return invalid("Invalid routing key")
	case ev.Key == "" || utf8.RuneCountInString(ev.Key) > 255:
		return invalid("Length of 'dedup_key' is incorrect")
	case ev.Action != "trigger" && ev.Action != "acknowledge" && ev.Action != "resolve":
		return invalid("'event_action' is invalid")
	case ev.Action == "trigger" && (n == 0 || n > 1024 || p.Source == ""):
		return invalid("'payload.summary' or 'payload.source' is missing or too long")
	case ev.Action == "trigger" && p.Severity != "critical" && p.Severity != "error" && p.Severity != "warning" && p.Severity != "info":
		return invalid("'payload.severity' is invalid (must be one of: critical, warning, error, info)")
	}
	s.record(ev, p.Summary, p.Severity)
	return http.StatusAccepted, fmt.Sprintf(`{"status":"success","message":"Event processed","dedup_key":%q}`, ev.Key)
}

func (s *PagerDutyServer) record(ev pagerDutyEvent, summary, severity string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.pages[ev.Key]
	if page == nil {
		if ev.Action != "trigger" {
			return // accepted and ignored, as PagerDuty does
		}
		page = &Page{Key: ev.Key, Status: "resolved"}
		s.pages[ev.Key] = page
	}
	page.Actions = append(page.Actions, ev.Action)
	switch open := page.Status != "resolved"; ev.Action {
	case "trigger":
		page.Summary, page.Severity, page.Payload = summary, severity, ev.Payload
		if !open {
			page.Status = "triggered"
			page.Incidents++
		}
	case "acknowledge":
		if open {
			page.Status = "acknowledged"
		}
	case "resolve":
		page.Status = "resolved"
	}
}
