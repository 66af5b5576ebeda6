package localhub_test

import (
	"fmt"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"phiwatch/ingest/localhub"
)

func TestRetentionDropsTheOldestEvents(t *testing.T) {
	const retention = 100_000
	h, addr := serve(t, localhub.Config{RetentionBytes: retention})
	for i := range 100 {
		if err := h.Publish("logs", "0", localhub.Message{Body: fmt.Appendf(nil, "%-5000d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	s := h.Stats().Partitions[0]
	if s.Bytes > retention || s.Bytes < retention-6000 {
		t.Errorf("%d bytes kept of %d", s.Bytes, retention)
	}
	if s.Evicted+int64(s.Events) != 100 || s.First != s.Evicted || s.Last != 99 || s.Evicted == 0 {
		t.Errorf("evicted %d, kept %d: %d to %d", s.Evicted, s.Events, s.First, s.Last)
	}
	p, err := newProducer(t, h.ConnectionString(addr, "logs")).GetPartitionProperties(deadline(t), "0", nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.BeginningSequenceNumber != s.First || p.LastEnqueuedSequenceNumber != 99 {
		t.Errorf("properties say %d to %d", p.BeginningSequenceNumber, p.LastEnqueuedSequenceNumber)
	}

	c := newConsumer(t, h.ConnectionString(addr, "logs"), "$Default")
	for name, at := range map[string]azeventhubs.StartPosition{
		"earliest": fromStart, "a sequence that is gone": {SequenceNumber: new(int64(3))}, "an offset that is gone": {Offset: new("17")}} {
		pc := open(t, c, "0", azeventhubs.PartitionClientOptions{StartPosition: at})
		events, err := pc.ReceiveEvents(deadline(t), s.Events, nil)
		if err != nil {
			t.Fatal(err)
		}
		if first := events[0].SequenceNumber; first != s.First {
			t.Errorf("%s: starts with %d, want %d", name, first, s.First)
		}
		pc.Close(t.Context())
	}
}

func TestNewestEventIsAlwaysKept(t *testing.T) {
	h, _ := serve(t, localhub.Config{RetentionBytes: 1000})
	for range 2 {
		if err := h.Publish("logs", "0", localhub.Message{Body: make([]byte, 5000)}); err != nil {
			t.Fatal(err)
		}
	}
	if s := h.Stats().Partitions[0]; s.Events != 1 || s.First != 1 {
		t.Errorf("kept %d from %d", s.Events, s.First)
	}
}

func TestReceiverBehindRetentionGoesOnAtTheEarliest(t *testing.T) {
	h, addr := serve(t, localhub.Config{RetentionBytes: 1 << 20})
	pc := open(t, newConsumer(t, h.ConnectionString(addr, "logs"), "$Default"), "0",
		azeventhubs.PartitionClientOptions{StartPosition: fromStart, Prefetch: -1})
	body := make([]byte, 100_000)
	put := func(n int) {
		for range n {
			if err := h.Publish("logs", "0", localhub.Message{Body: body}); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(1)
	receive(t, pc, 1)
	put(100)
	first := h.Stats().Partitions[0].First
	seen := int64(0)
	for seen < 100 {
		events, err := pc.ReceiveEvents(deadline(t), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		if at := events[0].SequenceNumber; at != seen+1 && at != first {
			t.Fatalf("sequence %d after %d, the earliest is %d", at, seen, first)
		}
		seen = events[0].SequenceNumber
	}
}

func TestConfigIsChecked(t *testing.T) {
	for name, cfg := range map[string]localhub.Config{
		"no hubs":             {},
		"no name":             {Hubs: []localhub.HubConfig{{}}},
		"name with a slash":   {Hubs: []localhub.HubConfig{{Name: "a/b"}}},
		"same name":           {Hubs: []localhub.HubConfig{{Name: "logs"}, {Name: "LOGS"}}},
		"negative partitions": {Hubs: []localhub.HubConfig{{Name: "logs", Partitions: -1}}},
		"too many partitions": {Hubs: []localhub.HubConfig{{Name: "logs", Partitions: 2000}}},
		"negative limit":      {Hubs: []localhub.HubConfig{{Name: "logs"}}, RetentionBytes: -1},
	} {
		if _, err := localhub.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
