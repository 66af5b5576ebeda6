package localhub

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"
)

// Hub is a namespace of hubs. All methods may be called concurrently.
type Hub struct {
	cfg    Config
	log    *slog.Logger
	tls    *tls.Config
	hubs   map[string]*entity // by lower-case name
	faults Faults

	mu       sync.Mutex // guards what follows
	conns    map[*conn]struct{}
	accepted int64
}

// New makes a namespace. It starts nothing: events can be published at once,
// clients are served by Serve.
func New(cfg Config) (*Hub, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	h := &Hub{cfg: cfg, log: cfg.Log, hubs: map[string]*entity{}, conns: map[*conn]struct{}{}}
	if cfg.TLS != nil {
		h.tls = cfg.TLS.Clone()
		h.tls.DynamicRecordSizingDisabled = true // full records from the start: throughput over first-byte latency
	}
	for _, hc := range cfg.Hubs {
		if hc.Partitions == 0 {
			hc.Partitions = 4
		}
		if err := hc.validate(); err != nil {
			return nil, err
		}
		key := strings.ToLower(hc.Name)
		if h.hubs[key] != nil {
			return nil, fmt.Errorf("localhub: two hubs named %s", hc.Name)
		}
		h.hubs[key] = newEntity(hc, cfg)
	}
	h.faults.hub = h
	return h, nil
}

// ConnectionString is what a client needs to reach a hub (or, with an empty
// name, the namespace) at the address of a listener that is being served.
func (h *Hub) ConnectionString(addr, hub string) string {
	s := fmt.Sprintf("Endpoint=sb://%s;SharedAccessKeyName=%s;SharedAccessKey=%s", addr, h.cfg.KeyName, h.cfg.Key)
	if h.tls == nil {
		s += ";UseDevelopmentEmulator=true"
	}
	if hub != "" {
		s += ";EntityPath=" + hub
	}
	return s
}

// Faults makes the hub fail on purpose.
func (h *Hub) Faults() *Faults { return &h.faults }

// Serve accepts clients on ln until ctx is done, then says goodbye to them,
// closes ln and returns nil once all are gone. It may be called for several
// listeners at once.
func (h *Hub) Serve(ctx context.Context, ln net.Listener) error {
	var clients sync.WaitGroup
	defer clients.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	for {
		nc, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if retryable(err) && pause(ctx, 50*time.Millisecond) {
				continue
			}
			return fmt.Errorf("localhub: accept: %w", err)
		}
		clients.Go(func() { h.ServeConn(ctx, nc) })
	}
}

// retryable reports errors of accept that go away by themselves, such as
// running out of file descriptors.
func retryable(err error) bool {
	var ne interface{ Temporary() bool }
	return errors.As(err, &ne) && ne.Temporary()
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// ServeConn serves one client until it leaves or ctx is done, and closes nc.
// With Config.TLS it speaks TLS on it; a namespace without serves AMQP over
// WebSockets when nc is the binary stream of one.
func (h *Hub) ServeConn(ctx context.Context, nc net.Conn) {
	c := newConn(h, nc)
	if !h.add(c) {
		nc.Close()
		h.log.Warn("connection refused", "remote", nc.RemoteAddr().String(), "limit", h.cfg.MaxConnections)
		return
	}
	defer h.remove(c)
	if err := c.serve(ctx); err != nil {
		h.log.Debug("connection ended", "remote", nc.RemoteAddr().String(), "err", err)
	}
}

func (h *Hub) add(c *conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.conns) >= h.cfg.MaxConnections {
		return false
	}
	h.conns[c] = struct{}{}
	h.accepted++
	return true
}

func (h *Hub) remove(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, c)
}

// connections is a snapshot of the clients being served.
func (h *Hub) connections() []*conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	conns := make([]*conn, 0, len(h.conns))
	for c := range h.conns {
		conns = append(conns, c)
	}
	return conns
}

// entity finds a hub by name, in any case.
func (h *Hub) entity(name string) *entity { return h.hubs[strings.ToLower(name)] }
