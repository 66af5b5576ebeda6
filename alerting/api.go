package alerting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"
)

// The largest body of a request and the longest text in it.
const (
	maxRequest = 64 << 10
	maxNote    = 4000
	maxBy      = 256
)

// api serves the ledger over HTTP.
type api struct {
	ledger *Ledger
	log    *slog.Logger
}

// NewAPI returns the handler of /api/v1/: violations, violations/{id},
// violations/{id}/acknowledge, violations/{id}/close and accounts. It has no
// authentication of its own.
func NewAPI(l *Ledger, log *slog.Logger) http.Handler {
	a := &api{l, log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/violations", a.list)
	mux.HandleFunc("GET /api/v1/violations/{id}", a.detail)
	mux.HandleFunc("POST /api/v1/violations/{id}/acknowledge", a.person(l.Acknowledge))
	mux.HandleFunc("POST /api/v1/violations/{id}/close", a.person(l.Close))
	mux.HandleFunc("GET /api/v1/accounts", a.accounts)
	mux.HandleFunc("/api/v1/", func(w http.ResponseWriter, r *http.Request) {
		a.fail(w, http.StatusNotFound, "", fmt.Errorf("no such resource: there are GET violations, GET violations/{id}, "+
			"POST violations/{id}/acknowledge, POST violations/{id}/close and GET accounts, below /api/v1/"))
	})
	return mux
}

func (a *api) list(w http.ResponseWriter, r *http.Request) {
	f, bad := parseFilter(r.URL.Query())
	if bad != nil {
		a.fail(w, http.StatusBadRequest, bad.name, bad.err)
		return
	}
	if bad, err := a.ledger.checkNames(r.Context(), &f); err != nil {
		a.broken(w, r, err)
		return
	} else if bad != nil {
		a.fail(w, http.StatusBadRequest, bad.name, bad.err)
		return
	}
	violations, next, err := a.ledger.Violations(r.Context(), f)
	if errors.Is(err, ErrCursor) {
		a.fail(w, http.StatusBadRequest, "cursor", ErrCursor)
		return
	}
	if err != nil {
		a.broken(w, r, err)
		return
	}
	if violations == nil {
		violations = []Violation{}
	}
	a.answer(w, http.StatusOK, struct {
		Violations []Violation `json:"violations"`
		Next       string      `json:"next,omitempty"`
	}{violations, next})
}

func (a *api) detail(w http.ResponseWriter, r *http.Request) {
	d, err := a.ledger.Violation(r.Context(), r.PathValue("id"))
	if err != nil {
		a.broken(w, r, err)
		return
	}
	a.answer(w, http.StatusOK, d)
}

func (a *api) accounts(w http.ResponseWriter, r *http.Request) {
	all, err := a.ledger.Accounts(r.Context())
	if err != nil {
		a.broken(w, r, err)
		return
	}
	if all == nil {
		all = []Account{}
	}
	a.answer(w, http.StatusOK, struct {
		Accounts []Account `json:"accounts"`
	}{all})
}

// word is what a person says of a violation.
type word struct {
	By   string `json:"by"`
	Note string `json:"note"`
}

func (a *api) person(say func(ctx context.Context, id, by, note string) (Violation, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		said, status, bad := readWord(w, r)
		if bad != nil {
			a.fail(w, status, bad.name, bad.err)
			return
		}
		v, err := say(r.Context(), r.PathValue("id"), said.By, said.Note)
		if err != nil {
			a.broken(w, r, err)
			return
		}
		a.answer(w, http.StatusOK, struct {
			Violation Violation `json:"violation"`
		}{v})
	}
}

func readWord(w http.ResponseWriter, r *http.Request) (word, int, *badParameter) {
	var said word
	// A browser sends other sites' forms as anything but JSON.
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return said, http.StatusUnsupportedMediaType, &badParameter{"Content-Type", errors.New("send application/json")}
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	d.DisallowUnknownFields()
	err := d.Decode(&said)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	if err != nil {
		return said, http.StatusBadRequest, &badParameter{"body", fmt.Errorf(`%w: send {"by": "who", "note": "why"}`, err)}
	}
	said.By, said.Note = strings.TrimSpace(said.By), strings.TrimSpace(said.Note)
	if said.By == "" || utf8.RuneCountInString(said.By) > maxBy {
		return said, http.StatusBadRequest, &badParameter{"by", fmt.Errorf("say who you are, in at most %d characters", maxBy)}
	}
	if utf8.RuneCountInString(said.Note) > maxNote {
		return said, http.StatusBadRequest, &badParameter{"note", fmt.Errorf("use at most %d characters", maxNote)}
	}
	return said, http.StatusOK, nil
}

// broken answers an error of the ledger.
func (a *api) broken(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, ErrNotFound):
		a.fail(w, http.StatusNotFound, "id", fmt.Errorf("no such violation: GET /api/v1/violations lists them"))
	case errors.Is(err, ErrSettled):
		a.fail(w, http.StatusConflict, "id", err)
	case r.Context().Err() != nil: // nobody is there to read an answer
	default:
		a.log.Error("cannot answer a request", "path", r.URL.Path, "err", err)
		a.fail(w, http.StatusInternalServerError, "", errors.New("the state database did not answer: see the log"))
	}
}

func (a *api) fail(w http.ResponseWriter, status int, parameter string, err error) {
	a.answer(w, status, struct {
		Error     string `json:"error"`
		Parameter string `json:"parameter,omitempty"`
	}{err.Error(), parameter})
}

func (a *api) answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		a.log.Error("cannot encode an answer", "err", err)
		http.Error(w, `{"error":"the answer could not be encoded: see the log"}`, http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(body, '\n')) // an error here is the client's going away
}
