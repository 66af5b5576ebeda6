package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/exporter-toolkit/web"
)

// webServer serves metrics, health and the API.
type webServer struct {
	listener net.Listener
	server   *http.Server
	flags    *web.FlagConfig
	patience time.Duration // with requests under way at the end
}

// listen binds the address, so that a taken port is an error at start.
func (d *daemon) listen() error {
	l, err := net.Listen("tcp", d.config.Web.Listen)
	if err != nil {
		return fmt.Errorf("listen for web on %s: %w; set web.listen to a free address", d.config.Web.Listen, err)
	}
	listen, socket := []string{}, false
	d.web = &webServer{
		listener: l,
		patience: 5 * time.Second,
		flags:    &web.FlagConfig{WebListenAddresses: &listen, WebSystemdSocket: &socket, WebConfigFile: &d.config.Web.ConfigFile},
		server: &http.Server{
			Handler:           d.handler(),
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       15 * time.Second,
			WriteTimeout:      60 * time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    64 << 10,
			ErrorLog:          slog.NewLogLogger(serverLog{d.log.With("component", "web").Handler()}, slog.LevelError),
		},
	}
	return nil
}

// serverLog takes what the HTTP server says of connections. That somebody does not
// speak TLS, as probes of the port do, is no news.
type serverLog struct{ slog.Handler }

// Handle implements slog.Handler.
func (l serverLog) Handle(ctx context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "http: TLS handshake error") {
		if r.Level = slog.LevelDebug; !l.Enabled(ctx, r.Level) {
			return nil
		}
	}
	return l.Handler.Handle(ctx, r)
}

// serve is the web stage.
func (d *daemon) serve(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- web.Serve(d.web.listener, d.web.server, d.web.flags, d.log) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.web.patience)
	defer cancel()
	err := d.web.server.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) { // who has not got or sent all by now goes without
		err = d.web.server.Close()
	}
	if served := <-done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

func (d *daemon) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(d.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError,
		ErrorLog:      slog.NewLogLogger(d.log.With("component", "metrics").Handler(), slog.LevelError),
	}))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "phiwatch is healthy.")
	})
	mux.HandleFunc("GET /-/ready", d.serveReady)
	mux.HandleFunc("POST /-/reload", d.serveReload)
	mux.Handle("/api/v1/", d.api)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "phiwatch: /metrics, /-/healthy, /-/ready, /api/v1/violations")
	})
	// No page of another site may have a browser on this machine reload or speak.
	return http.NewCrossOriginProtection().Handler(mux)
}

// serveReady answers 200 when events can be read and state written, else 503
// and what is missing.
func (d *daemon) serveReady(w http.ResponseWriter, r *http.Request) {
	if err := d.ready(r.Context()); err != nil {
		http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "phiwatch is ready.")
}

func (d *daemon) serveReload(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if err := d.reload(); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		writeJSON(w, map[string]string{"error": err.Error()})
		return
	}
	writeJSON(w, map[string]string{"status": "reloaded"})
}

func writeJSON(w http.ResponseWriter, v any) {
	// The header is out: an error is the client's connection and nobody's news.
	_ = json.NewEncoder(w).Encode(v)
}
