package localhub

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]address{
		"logs":                        {hub: "logs"},
		"/logs/":                      {hub: "logs"},
		"amqps://ns.example.org/logs": {hub: "logs"},
		"logs/Partitions/3":           {hub: "logs", part: "3"},
		"logs/consumergroups/$Default/partitions/0": {hub: "logs", group: "$Default", part: "0"},
		"$cbs":                          {node: "$cbs"},
		"$management":                   {node: "$management"},
		"logs/$management":              {node: "$management"},
		"sb://ns.example.org:5671/$CBS": {node: "$cbs"},
	} {
		got, ok := parseAddress(in)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(address{})); diff != "" || !ok {
			t.Errorf("%s: %v %s", in, ok, diff)
		}
	}
	for _, in := range []string{"", "/", "logs/Partitions", "logs/Publishers/x/y", "a/b/c/$cbs", "logs/ConsumerGroups/$Default"} {
		if a, ok := parseAddress(in); ok && (a.part != "" || a.group == "") {
			t.Errorf("%q: %+v", in, a)
		}
	}
}

func TestParseSelector(t *testing.T) {
	for in, want := range map[string]selector{
		"amqp.annotation.x-opt-offset > '-1'":                   earliest,
		"amqp.annotation.x-opt-offset > '@latest'":              {annotation: "x-opt-offset", latest: true},
		"amqp.annotation.x-opt-offset >= '@latest'":             {annotation: "x-opt-offset", latest: true, inclusive: true},
		" amqp.annotation.x-opt-sequence-number>='7' ":          {annotation: "x-opt-sequence-number", value: 7, inclusive: true},
		"amqp.annotation.x-opt-enqueued-time > '1767261600000'": {annotation: "x-opt-enqueued-time", value: 1767261600000},
	} {
		got, err := parseSelector(in)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(selector{})); diff != "" || err != nil {
			t.Errorf("%s: %v %s", in, err, diff)
		}
	}
	for _, in := range []string{"", "true", "amqp.annotation.x-opt-offset < '1'", "amqp.annotation.x-opt-offset > 'x'",
		"amqp.annotation.x-opt-sequence-number > '@latest'", "amqp.annotation.x-opt-offset > '1' OR 1=1"} {
		if sel, err := parseSelector(in); err == nil {
			t.Errorf("%q: %+v", in, sel)
		}
	}
}

func TestClaimsCoverWhatIsBelowThem(t *testing.T) {
	now := time.Unix(1767261600, 0)
	c := claims{}
	for audience, expiry := range map[string]time.Time{
		"amqps://ns.example.org/Logs": now.Add(time.Minute), "sb://ns.example.org/old": now, "amqp://ns.example.org/other/Partitions/1/": {}} {
		if err := c.add(audience, expiry); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]bool{
		"logs": true, "logs/ConsumerGroups/g/Partitions/0": true, "LOGS/$management": true, "logs2": false, "": false,
		"old": false, "other": false, "other/partitions/1": true, "other/partitions/10": false} {
		if got := c.cover(path, now); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	for i := range maxClaims {
		c.add(time.Duration(i).String(), now)
	}
	if len(c) > maxClaims {
		t.Errorf("%d claims", len(c))
	}
}

func TestTimeInAPartitionNeverGoesBack(t *testing.T) {
	clock := time.UnixMilli(1767261600000)
	p := newPartition("0", Config{Now: func() time.Time { return clock }}.withDefaults())
	add := func() {
		tail, err := Message{Body: []byte("x")}.encode()
		if err != nil {
			t.Fatal(err)
		}
		p.append([]event{{tail: tail}})
	}
	add()
	clock = clock.Add(-time.Hour)
	add()
	got := p.read(0, make([]*message, 0, 2), 1<<20)
	if got[1].enqueued < got[0].enqueued {
		t.Errorf("enqueued at %d, then %d", got[0].enqueued, got[1].enqueued)
	}
}

// draining is a connection whose client takes all that a partition has, up to
// the point where its writer would write.
func draining(t testing.TB, body, n int) (*conn, *consumer) {
	t.Helper()
	h, err := New(Config{Hubs: []HubConfig{{Name: "logs", Partitions: 1}}, RetentionBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		if err := h.Publish("logs", "0", Message{Body: make([]byte, body)}); err != nil {
			t.Fatal(err)
		}
	}
	c := newConn(h, script(nil))
	c.peerFrame = maxFrameSize
	o := &outlet{session: &session{conn: c, peerWindow: 1 << 30}, settled: true, credit: 1 << 30}
	f := &consumer{hub: h, partition: h.hubs["logs"].partitions[0], outlet: o}
	o.feed = f
	c.outlets = append(c.outlets, o)
	return c, f
}

func TestDeliveriesAreSentWithoutAllocation(t *testing.T) {
	c, _ := draining(t, 5000, 2000)
	w := &deliveries{}
	for range 5 { // until the buffer has its size
		c.collect(w)
	}
	if n := testing.AllocsPerRun(10, func() {
		if c.collect(w); len(w.buf) < writeSize {
			t.Errorf("a write of %d bytes", len(w.buf))
		}
	}); n != 0 {
		t.Errorf("%v allocations per write of about 50 deliveries", n)
	}
}

// BenchmarkCollect is what the hub itself spends on deliveries, without the
// network: 5 KB each.
func BenchmarkCollect(b *testing.B) {
	const held = 10_000
	c, f := draining(b, 5000, held)
	w := &deliveries{}
	b.SetBytes(5000)
	b.ReportAllocs()
	b.ResetTimer()
	for sent := 0; sent < b.N; {
		before := c.outlets[0].count
		c.collect(w)
		sent += int(c.outlets[0].count - before)
		if f.from >= held {
			f.from = 0
		}
	}
}
