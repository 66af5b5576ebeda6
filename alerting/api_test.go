package alerting

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phiwatch/detectors"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t testing.TB, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

type client struct {
	t testing.TB
	h http.Handler
}

func (c client) do(method, path, body string) (int, []byte) {
	c.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, r)
	return w.Code, w.Body.Bytes()
}

func newClient(t testing.TB) (client, *Ledger, *clock) {
	now := &clock{day.Add(10 * h)}
	l := newLedger(t, sqlite(t).open(t), Options{Now: now.now, Route: chatRoute(t)})
	l.SetNames(Names{Entries: []string{"ca-policy-disabled", "emergency-signin", "label-deleted"}, Safeguards: []string{"CA", "MFA", "MPIP"}})
	return client{t, NewAPI(l, testLog(t))}, l, now
}

func indent(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return b.Bytes()
}

func TestAPIAnswers(t *testing.T) {
	c, l, _ := newClient(t)
	apply(t, l, weak("p", "e1", h), incident("ea", "i1", 2*h))
	apply(t, l, back("p", "e2", 3*h), weak("p", "e3", 4*h), weak("q", "e4", 3*h))
	id := ViolationID(tenant, "ca-policy-disabled", "p")
	for _, tt := range []struct{ name, method, path, body string }{
		{"violations.json", "GET", "/api/v1/violations", ""},
		{"acknowledge.json", "POST", "/api/v1/violations/" + id + "/acknowledge", `{"by": "eve@example.org", "note": "calling the team"}`},
		{"violation.json", "GET", "/api/v1/violations/" + id, ""},
		{"accounts.json", "GET", "/api/v1/accounts", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body := c.do(tt.method, tt.path, tt.body)
			if status != http.StatusOK {
				t.Fatalf("status %d: %s", status, body)
			}
			golden(t, tt.name, indent(t, body))
		})
	}
}

func TestAPIFilters(t *testing.T) {
	c, l, _ := newClient(t)
	low := weak("low", "e9", h)
	low.Severity, low.Tenant = detectors.Low, "other"
	apply(t, l, weak("p", "e1", h), weak("q", "e2", 2*h), back("q", "e3", 3*h), incident("ea", "i1", 2*h), low)
	for _, tt := range []struct{ query, want string }{
		{"", "q ea p low"},
		{"state=open", "ea p low"},
		{"state=open,restored&entry=ca-policy-disabled", "q p low"},
		{"state=restored&state=closed", "q"},
		{"safeguard=MFA", "q ea p low"},
		{"safeguard=CA", "q p low"},
		{"safeguard=MPIP,CA&state=restored", "q"},
		{"safeguard=MPIP", ""},
		{"severity=informational,info", ""},
		{"severity=low", "low"},
		{"severity=high,critical&tenant=" + strings.ToUpper(tenant), "q ea p"},
		{"entry=label-deleted", ""},
	} {
		for limit := range 4 { // every page size reads the same
			query := tt.query
			if limit > 0 {
				query += fmt.Sprintf("&limit=%d", limit)
			}
			var got []string
			for next := ""; ; {
				status, body := c.do("GET", "/api/v1/violations?"+query+next, "")
				var page struct {
					Violations []Violation
					Next       string
				}
				if err := json.Unmarshal(body, &page); err != nil || status != http.StatusOK {
					t.Fatalf("%s: status %d, %v: %s", query, status, err, body)
				}
				for _, v := range page.Violations {
					got = append(got, v.Subject)
				}
				if page.Next == "" {
					break
				}
				next = "&cursor=" + page.Next
			}
			sameInstant := strings.ReplaceAll(strings.Join(got, " "), "ea q", "q ea")
			if got := strings.ReplaceAll(sameInstant, "low p", "p low"); got != tt.want {
				t.Errorf("%s: %s, want %s", query, got, tt.want)
			}
		}
	}
}

func TestAPIErrorsNameTheParameterAndTheRemedy(t *testing.T) {
	c, l, _ := newClient(t)
	apply(t, l, weak("p", "e1", h), back("p", "e2", 2*h), weak("q", "e1", h))
	p := "/api/v1/violations/" + ViolationID(tenant, "ca-policy-disabled", "p")
	q := "/api/v1/violations/" + ViolationID(tenant, "ca-policy-disabled", "q")
	for _, tt := range []struct {
		method, path, body string
		status             int
		parameter, want    string
	}{
		{"GET", "/api/v1/violations?state=opne", "", 400, "state", `state "opne" is not one of open, acknowledged, restored, closed`},
		{"GET", "/api/v1/violations?severity=urgent", "", 400, "severity", "is not one of info, low, medium, high, critical"},
		{"GET", "/api/v1/violations?entry=nope", "", 400, "entry", `no rule has entry "nope": phiwatch rules list prints them all`},
		{"GET", "/api/v1/violations?entry=label-deleted,CA-policy-disable", "", 400, "entry", "did you mean ca-policy-disabled?"},
		{"GET", "/api/v1/violations?safeguard=ca", "", 400, "safeguard", `no rule has safeguard "ca": did you mean CA?`},
		{"GET", "/api/v1/violations?safeguard=M_A", "", 400, "safeguard", "did you mean MFA?"},
		{"GET", "/api/v1/violations?safeguard=TDE", "", 400, "safeguard", "use one of CA, MFA, MPIP"},
		{"GET", "/api/v1/violations?limit=0", "", 400, "limit", "is not a number from 1 to 1000"},
		{"GET", "/api/v1/violations?limit=x", "", 400, "limit", "is not a number from 1 to 1000"},
		{"GET", "/api/v1/violations?cursor=x", "", 400, "cursor", "an earlier answer gave as next"},
		{"GET", "/api/v1/violations?sate=open", "", 400, "sate", "use one of cursor, entry, limit"},
		{"GET", "/api/v1/violations/nothing", "", 404, "id", "no such violation"},
		{"GET", "/api/v1/violation", "", 404, "", "no such resource"},
		{"POST", q + "/acknowledge", "", 415, "Content-Type", "send application/json"},
		{"POST", q + "/acknowledge", "{", 400, "body", `send {"by": "who", "note": "why"}`},
		{"POST", q + "/acknowledge", `{"who": "eve"}`, 400, "body", "unknown field"},
		{"POST", q + "/acknowledge", `{"by": "eve"}{}`, 400, "body", "more than one value"},
		{"POST", q + "/acknowledge", `{"by": " "}`, 400, "by", "say who you are"},
		{"POST", q + "/acknowledge", `{"by": "eve", "note": "` + strings.Repeat("x", 4001) + `"}`, 400, "note", "at most 4000 characters"},
		{"POST", q + "/acknowledge", `{"by": "` + strings.Repeat("x", 70000) + `"}`, 400, "body", "too large"},
		{"POST", p + "/acknowledge", `{"by": "eve"}`, 409, "id", "is restored"},
		{"POST", p + "/close", `{"by": "eve"}`, 409, "id", "is restored"},
	} {
		status, body := c.do(tt.method, tt.path, tt.body)
		var got struct{ Error, Parameter string }
		if err := json.Unmarshal(body, &got); err != nil {
			t.Errorf("%s %s: %v: %s", tt.method, tt.path, err, body)
		}
		if status != tt.status || got.Parameter != tt.parameter || !strings.Contains(got.Error, tt.want) {
			t.Errorf("%s %s: status %d: %s", tt.method, tt.path, status, body)
		}
	}
}

func TestAcknowledgeTwiceIsTheSame(t *testing.T) {
	c, l, now := newClient(t)
	apply(t, l, weak("p", "e1", h))
	path := "/api/v1/violations/" + ViolationID(tenant, "ca-policy-disabled", "p") + "/acknowledge"
	_, first := c.do("POST", path, `{"by": "eve"}`)
	now.Time = now.Add(h)
	status, second := c.do("POST", path, `{"by": "mallory"}`)
	if status != http.StatusOK || !bytes.Equal(first, second) {
		t.Errorf("status %d (-first +second):\n%s", status, cmp.Diff(string(first), string(second)))
	}
	checkOwed(t, l, fmt.Sprintf(`chat {"entry":"ca-policy-disabled","tenant":"%s"} generation 1 wanted 2`, tenant))
}
