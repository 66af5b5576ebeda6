package eventhub

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest/localhub"
)

// received runs a source with one hub and checks that it gets three messages.
func received(t *testing.T, h *localhub.Hub, conf Hub) {
	t.Helper()
	publish(t, h, "logs", "0", numbered(0, 3)...)
	db := sqlite(t)
	d := newDecider(t, db)
	s, _ := run(t, db, Config{Hubs: []Hub{conf}}, d.handle)
	d.wait(3)
	if diff := cmp.Diff(numbered(0, 3), d.bodies(s.hubs[0].name, "0")); diff != "" {
		t.Error(diff)
	}
}

// certificate is a pair for loopback and ns.example.net, and the file that trusts it.
func certificate(t *testing.T) (*tls.Config, string) {
	t.Helper()
	dir := t.TempDir()
	writeCertificate(t, dir)
	both := filepath.Join(dir, "both.pem")
	pair, err := tls.LoadX509KeyPair(both, both)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}, filepath.Join(dir, "cert.pem")
}

func TestTLSWithAnAuthorityOfItsOwn(t *testing.T) {
	conf, ca := certificate(t)
	h, addr := serve(t, localhub.Config{TLS: conf})
	received(t, h, Hub{ConnectionString: h.ConnectionString(addr, "logs"), CAFile: ca})
}

func TestAnUnknownAuthorityIsSaidWithARemedy(t *testing.T) {
	conf, _ := certificate(t)
	h, addr := serve(t, localhub.Config{TLS: conf})
	db := sqlite(t)
	s, _ := run(t, db, logs(h, addr), newDecider(t, db).handle)
	eventually(t, "the error is known", func() bool { return s.Hubs()[0].LastError != nil })
	if e := s.Hubs()[0].LastError; e.Class != ClassTLS || !strings.Contains(e.Remedy, "ca_file") {
		t.Errorf("class %s, remedy %q (%v)", e.Class, e.Remedy, e)
	}
}

func TestAnEndpointIsDialledInsteadOfTheNamespace(t *testing.T) {
	conf, ca := certificate(t)
	h, addr := serve(t, localhub.Config{TLS: conf})
	connection := strings.Replace(h.ConnectionString(addr, "logs"), addr, "ns.example.net", 1)
	received(t, h, Hub{ConnectionString: connection, CAFile: ca, Endpoint: addr})
}

// bridge serves a hub's clients over WebSockets, as the service does on port 443.
func bridge(t *testing.T, h *localhub.Hub, conf *tls.Config) (addr string, opened *atomic.Int64) {
	t.Helper()
	opened = new(atomic.Int64)
	ctx, cancel := context.WithCancel(context.Background())
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/$servicebus/websocket" {
			http.NotFound(w, r)
			return
		}
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"amqp"}})
		if err != nil {
			return
		}
		if c.Subprotocol() != "amqp" {
			t.Errorf("subprotocol %q", c.Subprotocol())
		}
		opened.Add(1)
		h.ServeConn(ctx, websocket.NetConn(ctx, c, websocket.MessageBinary))
	}))
	if conf != nil {
		server.TLS = conf
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(func() {
		cancel()
		server.Close()
	})
	return server.Listener.Addr().String(), opened
}

// hubAlone is a hub that only a bridge serves.
func hubAlone(t *testing.T) *localhub.Hub {
	t.Helper()
	h, err := localhub.New(localhub.Config{Hubs: []localhub.HubConfig{{Name: "logs", Partitions: 2}}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// secure makes a connection string one of a hub with TLS.
func secure(connection string) string {
	return strings.Replace(connection, ";UseDevelopmentEmulator=true", "", 1)
}

func TestWebSockets(t *testing.T) {
	conf, ca := certificate(t)
	t.Run("plain, embedded hub", func(t *testing.T) {
		h := hubAlone(t)
		addr, opened := bridge(t, h, nil)
		received(t, h, Hub{ConnectionString: h.ConnectionString(addr, "logs"), WebSockets: true})
		if opened.Load() == 0 {
			t.Error("not over WebSockets")
		}
	})
	t.Run("TLS", func(t *testing.T) {
		h := hubAlone(t)
		addr, opened := bridge(t, h, conf)
		received(t, h, Hub{ConnectionString: secure(h.ConnectionString(addr, "logs")), WebSockets: true, CAFile: ca})
		if opened.Load() == 0 {
			t.Error("not over WebSockets")
		}
	})
	t.Run("TLS, to an endpoint", func(t *testing.T) {
		h := hubAlone(t)
		addr, _ := bridge(t, h, conf)
		connection := secure(h.ConnectionString("ns.example.net", "logs"))
		received(t, h, Hub{ConnectionString: connection, WebSockets: true, CAFile: ca, Endpoint: addr})
	})
	t.Run("through a proxy", func(t *testing.T) {
		h := hubAlone(t)
		addr, _ := bridge(t, h, conf)
		proxy, through := connectProxy(t, addr)
		connection := secure(h.ConnectionString("ns.example.net", "logs"))
		received(t, h, Hub{ConnectionString: connection, WebSockets: true, CAFile: ca, Proxy: proxy})
		if got := through.Load(); got == nil || *got != "ns.example.net:443" {
			t.Errorf("the proxy was asked for %v", got)
		}
	})
	t.Run("a proxy that refuses", func(t *testing.T) {
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
		defer proxy.Close()
		h := hubAlone(t)
		db := sqlite(t)
		s, _ := run(t, db, Config{Hubs: []Hub{{ConnectionString: secure(h.ConnectionString("ns.example.net", "logs")), WebSockets: true, Proxy: proxy.URL}}}, newDecider(t, db).handle)
		eventually(t, "the error is known", func() bool { return s.Hubs()[0].LastError != nil })
		if e := s.Hubs()[0].LastError; e.Class != ClassConnection || !strings.Contains(e.Error(), "Forbidden") || !strings.Contains(e.Remedy, "proxy") {
			t.Errorf("class %s: %v", e.Class, e)
		}
	})
}

// connectProxy is an HTTP proxy that leads every CONNECT to addr.
func connectProxy(t *testing.T, addr string) (string, *atomic.Pointer[string]) {
	t.Helper()
	var through atomic.Pointer[string]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			t.Errorf("%s to the proxy", r.Method)
			return
		}
		through.Store(&r.Host)
		up, err := net.Dial("tcp", addr)
		if err != nil {
			t.Error(err)
			return
		}
		defer up.Close()
		w.WriteHeader(http.StatusOK)
		down, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer down.Close()
		go func() { io.Copy(up, down); up.Close() }()
		io.Copy(down, up)
	}))
	t.Cleanup(server.Close)
	return server.URL, &through
}
