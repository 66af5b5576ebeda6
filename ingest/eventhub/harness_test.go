package eventhub

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/prometheus/client_golang/prometheus"

	"phiwatch/ingest"
	"phiwatch/ingest/localhub"
)

// quick is defaultTiming, shortened.
var quick = timing{
	now: time.Now, update: 50 * time.Millisecond, expire: 2 * time.Second,
	poll: 50 * time.Millisecond, answer: 5 * time.Second,
	retryMin: time.Millisecond, retryMax: 20 * time.Millisecond,
	rebuildMin: 5 * time.Millisecond, rebuildMax: 100 * time.Millisecond,
	grace: 5 * time.Second, close: 2 * time.Second,
}

// fastRetries make the SDK itself give up soon.
var fastRetries = azeventhubs.RetryOptions{MaxRetries: 1, RetryDelay: time.Millisecond, MaxRetryDelay: time.Millisecond}

type ownership = azeventhubs.Ownership

func withExpiry(d time.Duration) timing {
	t := quick
	t.expire = d
	return t
}

func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func newRegistry() *prometheus.Registry { return prometheus.NewPedanticRegistry() }

func newTestSource(t testing.TB, db *sql.DB, c Config) (*Source, error) {
	return newSource(c, db, testLog(t), newRegistry(), quick)
}

// deadline is a context for a test that must not hang.
func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// serve runs a namespace with the hubs logs and risks until the test ends.
func serve(t testing.TB, cfg localhub.Config) (*localhub.Hub, string) {
	t.Helper()
	if cfg.Hubs == nil {
		cfg.Hubs = []localhub.HubConfig{{Name: "logs", Partitions: 2, ConsumerGroups: []string{"second"}}, {Name: "risks", Partitions: 1}}
	}
	h, err := localhub.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- h.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return h, ln.Addr().String()
}

// publish sends bodies to a partition.
func publish(t testing.TB, h *localhub.Hub, hub, partition string, bodies ...string) {
	t.Helper()
	var msgs []localhub.Message
	for _, b := range bodies {
		msgs = append(msgs, localhub.Message{Body: []byte(b)})
	}
	if err := h.Publish(hub, partition, msgs...); err != nil {
		t.Fatal(err)
	}
}

// numbered returns n bodies from from on.
func numbered(from, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(`{"n":%d}`, from+i)
	}
	return out
}

// decider decides batches as the daemon does: records and position in one
// transaction, fenced by ownership. A message decided twice breaks a primary key.
type decider struct {
	t         testing.TB
	db        *sql.DB
	positions *ingest.Positions
	before    func(ingest.Batch) error // called first; an error fails the batch
	after     func(ingest.Batch) error // called before the commit

	mu      sync.Mutex // guards all below
	batches []ingest.Batch
	changed chan struct{} // closed and renewed at every commit
}

func newDecider(t testing.TB, db *sql.DB) *decider {
	t.Helper()
	_, err := db.Exec(`CREATE TABLE IF NOT EXISTS decided (hub TEXT, partition TEXT, sequence BIGINT, body TEXT, owner TEXT, PRIMARY KEY (hub, partition, sequence))`)
	if err != nil {
		t.Fatal(err)
	}
	return &decider{t: t, db: db, positions: testPositions(t, db), changed: make(chan struct{})}
}

func (d *decider) handle(ctx context.Context, b ingest.Batch) error {
	if d.before != nil {
		if err := d.before(b); err != nil {
			return err
		}
	}
	if err := d.commit(ctx, b); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.batches = append(d.batches, b)
	close(d.changed)
	d.changed = make(chan struct{})
	return nil
}

func (d *decider) commit(ctx context.Context, b ingest.Batch) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := d.positions.Advance(ctx, tx, b); err != nil {
		return err
	}
	for _, m := range b.Messages {
		if _, err := tx.ExecContext(ctx, `INSERT INTO decided VALUES ($1, $2, $3, $4, $5)`, m.Hub, m.ID, m.Sequence, string(m.Body), b.Owner); err != nil {
			d.t.Errorf("decided twice: %v", err)
			return err
		}
	}
	if d.after != nil {
		if err := d.after(b); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// until waits until the table of decided messages satisfies ok.
func (d *decider) until(what string, ok func() bool) {
	d.t.Helper()
	ctx := deadline(d.t)
	for {
		d.mu.Lock()
		changed := d.changed
		d.mu.Unlock()
		if ok() {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			d.t.Fatalf("%s: not in time; decided %d", what, d.count())
		}
	}
}

// decided returns the batches that were committed.
func (d *decider) decided() []ingest.Batch {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.batches)
}

func (d *decider) count() int {
	var n int
	if err := d.db.QueryRow(`SELECT count(*) FROM decided`).Scan(&n); err != nil {
		d.t.Error(err)
	}
	return n
}

// wait waits until n messages are decided.
func (d *decider) wait(n int) {
	d.t.Helper()
	d.until(fmt.Sprintf("%d messages", n), func() bool { return d.count() >= n })
}

// bodies returns what was decided of a partition, in the order of the hub.
func (d *decider) bodies(hub, partition string) []string {
	d.t.Helper()
	rows, err := d.db.Query(`SELECT body FROM decided WHERE hub = $1 AND partition = $2 ORDER BY sequence`, hub, partition)
	if err != nil {
		d.t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var b string
		if err := rows.Scan(&b); err != nil {
			d.t.Fatal(err)
		}
		out = append(out, b)
	}
	if err := rows.Err(); err != nil {
		d.t.Fatal(err)
	}
	return out
}

// run starts a source. stop ends it and waits; the end of the test does too.
func run(t testing.TB, db *sql.DB, c Config, handle func(context.Context, ingest.Batch) error) (*Source, func()) {
	t.Helper()
	s, err := newTestSource(t, db, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range s.hubs { // the SDK's own pauses make tests slow
		h.retries = azeventhubs.RetryOptions{MaxRetries: 10, RetryDelay: time.Millisecond, MaxRetryDelay: 50 * time.Millisecond}
	}
	return s, begin(t, s, handle)
}

// begin runs s until stop or the end of the test.
func begin(t testing.TB, s *Source, handle func(context.Context, ingest.Batch) error) func() {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, handle) }()
	stop := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("run: %v", err)
			}
		case <-time.After(15 * time.Second):
			t.Error("run does not end")
		}
	})
	t.Cleanup(stop)
	return stop
}

// eventually polls what has no event to wait for.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx := deadline(t)
	for !ok() {
		if !sleep(ctx, 2*time.Millisecond) {
			t.Fatalf("%s: not in time", what)
		}
	}
}

// writeCertificate makes a certificate for loopback: cert.pem, and both.pem with its key.
func writeCertificate(t testing.TB, dir string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048) // Entra takes no other
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhub"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		DNSNames: []string{"localhost", "ns.example.net"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	both := append(cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	for name, data := range map[string][]byte{"cert.pem": cert, "both.pem": both} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func testPositions(testing.TB, *sql.DB) *ingest.Positions { return &ingest.Positions{} }
