package receivertest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
)

// Fault is how a fake misbehaves for one request. The zero Fault is good
// behaviour, to let a request pass between two faults.
type Fault struct {
	Status     int    // answer with this status instead of the fake's own answer
	Body       string // of that answer
	RetryAfter string // header of that answer
	Refuse     string // Slack's Web API: answer 200 with this error code
	Hang       bool   // do not answer until the client gives up or the fake is closed
	// Applied lets the request have its effect first: the receiver sees a
	// failure of something that was done. With Status and Hang zero the
	// connection is cut without an answer.
	Applied bool
	Cut     bool // cut the connection, without effect
}

// fake is what the fakes share: faults, the record's lock, and waiting for a
// state without sleeping.
type fake struct {
	server *httptest.Server
	done   chan struct{} // closed by Close

	mu       sync.Mutex
	faults   []Fault
	requests int
	changed  chan struct{} // closed and replaced on every change of the record
}

func (f *fake) start(h http.Handler) {
	f.done, f.changed = make(chan struct{}), make(chan struct{})
	f.server = httptest.NewServer(h)
}

// Close ends the fake, hanging requests included.
func (f *fake) Close() {
	select {
	case <-f.done:
		return
	default:
		close(f.done)
	}
	f.server.CloseClientConnections()
	f.server.Close()
}

// Inject makes the next requests meet faults, one each, in order.
func (f *fake) Inject(faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, faults...)
}

// Requests is the number of requests so far, faulty ones included.
func (f *fake) Requests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests
}

// next takes the fault for a request.
func (f *fake) next() Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	if len(f.faults) == 0 {
		return Fault{}
	}
	fault := f.faults[0]
	f.faults = f.faults[1:]
	return fault
}

// serve handles one request: apply changes the record and returns the answer.
func (f *fake) serve(w http.ResponseWriter, r *http.Request, apply func(Fault) (status int, body string)) {
	fault := f.next()
	clean := fault == Fault{}
	var status int
	var body string
	if clean || fault.Applied || fault.Refuse != "" {
		status, body = apply(fault)
		f.announce()
	}
	switch {
	case fault.Hang:
		f.hang(r)
		panic(http.ErrAbortHandler)
	case fault.Status != 0:
		if fault.RetryAfter != "" {
			w.Header().Set("Retry-After", fault.RetryAfter)
		}
		status, body = fault.Status, fault.Body
	case fault.Cut, fault.Applied && fault.Refuse == "":
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func (f *fake) hang(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that the client left
	select {
	case <-r.Context().Done():
	case <-f.done:
	}
}

func (f *fake) announce() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.changed)
	f.changed = make(chan struct{})
}

// await returns nil when ok, which reads the record, is true, and ctx's error
// when that does not come.
func (f *fake) await(ctx context.Context, ok func() bool) error {
	for {
		f.mu.Lock()
		changed := f.changed
		f.mu.Unlock()
		if ok() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
