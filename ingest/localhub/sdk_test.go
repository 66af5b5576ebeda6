package localhub_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest/localhub"
)

func TestEventArrivesAsSent(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	before := time.Now().Truncate(time.Millisecond)
	sent := &azeventhubs.EventData{
		Body: []byte(`{"records":[]}`), ContentType: new("application/json"), MessageID: new("m-1"), CorrelationID: "c-1",
		Properties: map[string]any{"source": "tests", "count": int64(7), "ratio": 0.5, "flag": true},
	}
	send(t, newProducer(t, h.ConnectionString(addr, "logs")), azeventhubs.EventDataBatchOptions{PartitionKey: new("ward-7")}, sent)

	var got *azeventhubs.ReceivedEventData
	for _, p := range h.Stats().Partitions {
		if p.Events == 0 {
			continue
		}
		pc := open(t, newConsumer(t, h.ConnectionString(addr, "logs"), "other"), p.ID, azeventhubs.PartitionClientOptions{StartPosition: fromStart})
		events, err := pc.ReceiveEvents(deadline(t), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		got = events[0]
	}
	if diff := cmp.Diff(*sent, got.EventData); diff != "" {
		t.Error(diff)
	}
	if got.SequenceNumber != 0 || got.Offset != "0" || *got.PartitionKey != "ward-7" || len(got.SystemProperties) != 0 {
		t.Errorf("sequence %d, offset %q, key %q, system properties %v", got.SequenceNumber, got.Offset, *got.PartitionKey, got.SystemProperties)
	}
	if got.EnqueuedTime.Before(before) || got.EnqueuedTime.After(time.Now()) {
		t.Errorf("enqueued %v, sent at %v", got.EnqueuedTime, before)
	}
}

func TestPublishedEventArrives(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	at := time.UnixMilli(1767261600000).UTC()
	m := localhub.Message{Body: []byte("b"), ContentType: "text/plain", MessageID: "m", PartitionKey: "k",
		Properties: map[string]any{"s": "v", "i": 1, "i32": int32(2), "i64": int64(3), "f": 1.5, "b": true, "raw": []byte{1}, "t": at}}
	if err := h.Publish("LOGS", "0", m); err != nil {
		t.Fatal(err)
	}
	pc := open(t, newConsumer(t, h.ConnectionString(addr, "logs"), azeventhubs.DefaultConsumerGroup), "0",
		azeventhubs.PartitionClientOptions{StartPosition: fromStart})
	events, err := pc.ReceiveEvents(deadline(t), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := azeventhubs.EventData{Body: []byte("b"), ContentType: new("text/plain"), MessageID: new("m"),
		Properties: map[string]any{"s": "v", "i": int64(1), "i32": int32(2), "i64": int64(3), "f": 1.5, "b": true, "raw": []byte{1}, "t": at}}
	if diff := cmp.Diff(want, events[0].EventData); diff != "" {
		t.Error(diff)
	}
	for name, err := range map[string]error{
		"no such hub":       h.Publish("missing", "", m),
		"no such partition": h.Publish("logs", "2", m),
		"too large":         h.Publish("logs", "0", localhub.Message{Body: make([]byte, 1<<20)}),
		"property type":     h.Publish("logs", "0", localhub.Message{Properties: map[string]any{"x": struct{}{}}}),
	} {
		if err == nil {
			t.Errorf("%s: published", name)
		}
	}
}

func TestConsumerStartsWhereAsked(t *testing.T) {
	clock := time.UnixMilli(1767261600000).UTC()
	h, addr := serve(t, localhub.Config{Now: func() time.Time { return clock }})
	start := clock
	for i := range 10 {
		if err := h.Publish("logs", "0", localhub.Message{Body: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(time.Minute)
	}
	c := newConsumer(t, h.ConnectionString(addr, "logs"), azeventhubs.DefaultConsumerGroup)
	all := open(t, c, "0", azeventhubs.PartitionClientOptions{StartPosition: fromStart})
	events, err := all.ReceiveEvents(deadline(t), 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	all.Close(t.Context())
	offset := events[4].Offset

	tests := []struct {
		name string
		at   azeventhubs.StartPosition
		want string // first body; 10 is the event published after the receiver is there
	}{
		{"earliest", azeventhubs.StartPosition{Earliest: new(true)}, "0"},
		{"latest", azeventhubs.StartPosition{Latest: new(true)}, "10"},
		{"latest inclusive", azeventhubs.StartPosition{Latest: new(true), Inclusive: true}, "9"},
		{"nothing said", azeventhubs.StartPosition{}, "10"},
		{"behind sequence 4", azeventhubs.StartPosition{SequenceNumber: new(int64(4))}, "5"},
		{"from sequence 4", azeventhubs.StartPosition{SequenceNumber: new(int64(4)), Inclusive: true}, "4"},
		{"behind the last sequence", azeventhubs.StartPosition{SequenceNumber: new(int64(9))}, "10"},
		{"from the first sequence", azeventhubs.StartPosition{SequenceNumber: new(int64(-1))}, "0"},
		{"behind an offset", azeventhubs.StartPosition{Offset: &offset}, "5"},
		{"from an offset", azeventhubs.StartPosition{Offset: &offset, Inclusive: true}, "4"},
		{"offset -1", azeventhubs.StartPosition{Offset: new("-1")}, "0"},
		{"behind a time", azeventhubs.StartPosition{EnqueuedTime: new(start.Add(3 * time.Minute))}, "4"},
		{"from a time", azeventhubs.StartPosition{EnqueuedTime: new(start.Add(3 * time.Minute)), Inclusive: true}, "3"},
		{"between times", azeventhubs.StartPosition{EnqueuedTime: new(start.Add(150 * time.Second))}, "3"},
		{"before all times", azeventhubs.StartPosition{EnqueuedTime: new(start.Add(-time.Hour))}, "0"},
	}
	waiting := make(chan string)
	for _, tt := range tests {
		pc := open(t, c, "0", azeventhubs.PartitionClientOptions{StartPosition: tt.at})
		if tt.want != "10" {
			if got := receive(t, pc, 1)[0]; got != tt.want {
				t.Errorf("%s: starts with %s, want %s", tt.name, got, tt.want)
			}
			pc.Close(t.Context())
			continue
		}
		before := consumers(h)
		go func() {
			events, err := pc.ReceiveEvents(deadline(t), 1, nil)
			if err != nil {
				waiting <- fmt.Sprintf("%s: %v", tt.name, err)
			} else {
				waiting <- string(events[0].Body)
			}
		}()
		until(t, func() bool { return consumers(h) > before })
	}
	if err := h.Publish("logs", "0", localhub.Message{Body: []byte("10")}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got := <-waiting; got != "10" {
			t.Errorf("starts with %s, want 10", got)
		}
	}
}

func TestImpossibleStartPositionIsRefused(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	publish(t, h, 0, 2)
	c := newConsumer(t, h.ConnectionString(addr, "logs"), azeventhubs.DefaultConsumerGroup)
	for name, at := range map[string]azeventhubs.StartPosition{
		"offset of another kind":            {Offset: new("cafe")},
		"offset of a hub that was before":   {Offset: new("999999")},
		"sequence of a hub that was before": {SequenceNumber: new(int64(2))},
	} {
		pc := open(t, c, "0", azeventhubs.PartitionClientOptions{StartPosition: at})
		_, err := pc.ReceiveEvents(deadline(t), 1, nil)
		if err == nil || !strings.Contains(err.Error(), "com.microsoft:argument-error") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPropertiesTellWhatAPartitionHolds(t *testing.T) {
	clock := time.UnixMilli(1767261600000).UTC()
	h, addr := serve(t, localhub.Config{Now: func() time.Time { return clock }})
	p := newProducer(t, h.ConnectionString(addr, "logs"))
	hub, err := p.GetEventHubProperties(deadline(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(azeventhubs.EventHubProperties{Name: "logs", CreatedOn: clock, PartitionIDs: []string{"0", "1"}}, hub); diff != "" {
		t.Error(diff)
	}
	check := func(want azeventhubs.PartitionProperties) {
		t.Helper()
		got, err := p.GetPartitionProperties(deadline(t), "1", nil)
		if err != nil {
			t.Fatal(err)
		}
		want.EventHubName, want.PartitionID = "logs", "1"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	check(azeventhubs.PartitionProperties{IsEmpty: true, LastEnqueuedSequenceNumber: -1, LastEnqueuedOffset: "-1"})
	send(t, p, azeventhubs.EventDataBatchOptions{PartitionID: new("1")}, numbered(0, 1)...)
	check(azeventhubs.PartitionProperties{LastEnqueuedOffset: "0", LastEnqueuedOn: clock})
	if _, err := p.GetPartitionProperties(deadline(t), "2", nil); err == nil {
		t.Error("properties of a partition that is not there")
	}
}

func TestEventsAreSpreadByKeyOrInTurn(t *testing.T) {
	h, addr := serve(t, localhub.Config{Hubs: []localhub.HubConfig{{Name: "logs", Partitions: 8}}})
	p := newProducer(t, h.ConnectionString(addr, "logs"))
	for range 8 {
		send(t, p, azeventhubs.EventDataBatchOptions{}, numbered(0, 2)...)
	}
	for _, part := range h.Stats().Partitions {
		if part.Events != 2 {
			t.Errorf("partition %s has %d events, want 2 in turn", part.ID, part.Events)
		}
	}
	for range 3 {
		send(t, p, azeventhubs.EventDataBatchOptions{PartitionKey: new("ward-7")}, numbered(0, 1)...)
	}
	grown := 0
	for _, part := range h.Stats().Partitions {
		if part.Events == 5 {
			grown++
		} else if part.Events != 2 {
			t.Errorf("partition %s has %d events: one key went to several partitions", part.ID, part.Events)
		}
	}
	if grown != 1 {
		t.Errorf("%d partitions took all events of a key, want 1", grown)
	}
}

func TestLargeMessagesTravelInManyFrames(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	p := newProducer(t, h.ConnectionString(addr, "logs"))
	body := bytes.Repeat([]byte("0123456789abcdef"), 900<<10/16)
	send(t, p, azeventhubs.EventDataBatchOptions{PartitionID: new("0")}, &azeventhubs.EventData{Body: body})
	send(t, p, azeventhubs.EventDataBatchOptions{PartitionID: new("0")}, numbered(1, 1)...)
	pc := open(t, newConsumer(t, h.ConnectionString(addr, "logs"), azeventhubs.DefaultConsumerGroup), "0",
		azeventhubs.PartitionClientOptions{StartPosition: fromStart})
	got := receive(t, pc, 2)
	if got[0] != string(body) || got[1] != "1" {
		t.Errorf("received %d and %d bytes", len(got[0]), len(got[1]))
	}
}

func TestBatchIsBoundedByTheHubsLimit(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	b, err := newProducer(t, h.ConnectionString(addr, "logs")).NewEventDataBatch(deadline(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = b.AddEventData(&azeventhubs.EventData{Body: make([]byte, 1<<20)}, nil)
	if !errors.Is(err, azeventhubs.ErrEventDataTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestManualCreditIsHonoured(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	pc := open(t, newConsumer(t, h.ConnectionString(addr, "logs"), azeventhubs.DefaultConsumerGroup), "0",
		azeventhubs.PartitionClientOptions{StartPosition: fromStart, Prefetch: -1})
	for i := range 10 {
		if err := h.Publish("logs", "0", localhub.Message{Body: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"0", "1", "2"}, receive(t, pc, 3)); diff != "" {
		t.Error(diff)
	}
	for _, p := range h.Stats().Partitions {
		if p.ID == "0" && p.Delivered != 3 {
			t.Errorf("%d deliveries for a credit of 3", p.Delivered)
		}
	}
	if diff := cmp.Diff([]string{"3", "4"}, receive(t, pc, 2)); diff != "" {
		t.Error(diff)
	}
}

func TestHubsAndGroupsAreApart(t *testing.T) {
	h, addr := serve(t, localhub.Config{Hubs: []localhub.HubConfig{
		{Name: "insights-logs-auditlogs", Partitions: 1, ConsumerGroups: []string{"phiwatch"}}, {Name: "insights-logs-signinlogs", Partitions: 1}}})
	for _, hub := range []string{"insights-logs-auditlogs", "insights-logs-signinlogs"} {
		send(t, newProducer(t, h.ConnectionString(addr, hub)), azeventhubs.EventDataBatchOptions{}, &azeventhubs.EventData{Body: []byte(hub)})
	}
	for _, c := range []struct{ hub, group string }{
		{"insights-logs-auditlogs", "phiwatch"}, {"insights-logs-auditlogs", "$default"}, {"insights-logs-signinlogs", "$Default"}} {
		pc := open(t, newConsumer(t, h.ConnectionString(addr, c.hub), c.group), "0", azeventhubs.PartitionClientOptions{StartPosition: fromStart})
		if got := receive(t, pc, 1)[0]; got != c.hub {
			t.Errorf("%v: received %s", c, got)
		}
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	for _, c := range []struct{ name, hub, group, partition string }{
		{"hub", "missing", "$Default", "0"}, {"group", "logs", "missing", "0"}, {"partition", "logs", "$Default", "9"}} {
		_, err := newConsumer(t, h.ConnectionString(addr, c.hub), c.group).NewPartitionClient(c.partition, nil)
		if err == nil {
			pc := open(t, newConsumer(t, h.ConnectionString(addr, c.hub), c.group), c.partition, azeventhubs.PartitionClientOptions{})
			_, err = pc.ReceiveEvents(deadline(t), 1, nil)
		}
		if err == nil || !strings.Contains(err.Error(), "amqp:not-found") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := newProducer(t, h.ConnectionString(addr, "missing")).NewEventDataBatch(deadline(t), nil); err == nil || !strings.Contains(err.Error(), "amqp:not-found") {
		t.Errorf("producer: %v", err)
	}
}
