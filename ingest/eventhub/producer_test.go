package eventhub

import (
	"strings"
	"testing"

	"phiwatch/ingest/localhub"
)

func TestProducerSendsAsManyBatchesAsItTakes(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	p, err := NewProducer(h.ConnectionString(addr, "logs"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(t.Context())
	large := []byte(strings.Repeat("x", 600<<10)) // two do not fit into one batch
	if err := p.Send(deadline(t), large, []byte("small"), large, large); err != nil {
		t.Fatal(err)
	}
	db := sqlite(t)
	d := newDecider(t, db)
	run(t, db, logs(h, addr), d.handle)
	d.wait(4)
	if err := p.Send(deadline(t), make([]byte, 2<<20)); err == nil || !strings.Contains(err.Error(), "message of 2097152 bytes") {
		t.Errorf("a message too large for the hub: %v", err)
	}
	if _, err := NewProducer("Endpoint=sb://ns.example.net/"); err == nil {
		t.Error("a connection string without a key is taken")
	}
}
