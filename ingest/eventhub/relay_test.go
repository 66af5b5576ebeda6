package eventhub

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"phiwatch/ingest/localhub"
)

// relay is one address whose hub can be exchanged, as when a hub is deleted
// and created again. With no hub it closes every connection.
type relay struct {
	accepted atomic.Int64
	mu       sync.Mutex // guards what is served, and until when
	hub      *localhub.Hub
	cancel   context.CancelFunc
	ctx      context.Context
}

// listen serves until the test ends.
func (r *relay) listen(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.to(nil)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			r.accepted.Add(1)
			hub, ctx := r.current()
			if hub == nil {
				conn.Close()
				continue
			}
			wg.Go(func() { hub.ServeConn(ctx, conn) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		r.to(nil)
		wg.Wait()
	})
	return ln.Addr().String()
}

// to ends all connections and serves hub from now on.
func (r *relay) to(hub *localhub.Hub) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel != nil {
		r.cancel()
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.hub = hub
}

func (r *relay) current() (*localhub.Hub, context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hub, r.ctx
}
