package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"phiwatch/ingest/hospital"
	"phiwatch/ingest/localhub"
)

// asHub, when set, makes TestServeBenchHub a hub full of records:
// "<records> <records per message> <directory of its certificate, or ->".
const asHub = "PHIWATCH_TEST_AS_BENCH_HUB"

// benchHub is a hub with records in a process of its own, so that what it costs
// is not counted.
type benchHub struct {
	connection string
	caFile     string
	records    int
	messages   int
}

func startBenchHub(tb testing.TB, records, perMessage int, secure bool) benchHub {
	tb.Helper()
	dir, h := "-", benchHub{records: records, messages: records / perMessage}
	if secure {
		dir = tb.TempDir()
		h.caFile = filepath.Join(dir, "ca.pem")
	}
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.CommandContext(tb.Context(), self, "-test.run=^TestServeBenchHub$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d %s", asHub, records, perMessage, dir), "GOMAXPROCS=1")
	cmd.Stderr = tb.Output()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = stdin.Close() // it ends
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		tb.Fatalf("the hub's process: %v", err)
	}
	h.connection = strings.TrimSpace(line)
	return h
}

// TestServeBenchHub is not a test: see asHub.
func TestServeBenchHub(t *testing.T) {
	spec := os.Getenv(asHub)
	if spec == "" {
		t.Skip("only what benchmarks start, as a process")
	}
	var records, perMessage int
	var dir string
	if _, err := fmt.Sscan(spec, &records, &perMessage, &dir); err != nil {
		t.Fatal(err)
	}
	cfg := localhub.Config{RetentionBytes: 1 << 30, Hubs: []localhub.HubConfig{{Name: "logs", Partitions: 1}}}
	if dir != "-" {
		cfg.TLS = &tls.Config{Certificates: []tls.Certificate{selfSigned(t, filepath.Join(dir, "ca.pem"))}}
	}
	h, err := localhub.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Publish("logs", "0", benchMessages(records, perMessage)...); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = h.Serve(t.Context(), ln) }() // until the process ends
	fmt.Println(h.ConnectionString(ln.Addr().String(), "logs"))
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func benchMessages(records, perMessage int) []localhub.Message {
	day := hospital.New(1)
	at := time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)
	messages := make([]localhub.Message, records/perMessage)
	for i := range messages {
		batch := make([][]byte, perMessage)
		for k := range batch {
			batch[k] = day.Record(at)
		}
		messages[i].Body = hospital.Message(batch...)
	}
	return messages
}

// selfSigned makes a certificate for the loopback address and writes it to file.
func selfSigned(t *testing.T, file string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
