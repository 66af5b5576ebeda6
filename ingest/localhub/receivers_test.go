package localhub_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"phiwatch/ingest/localhub"
)

func TestHigherOwnerLevelStealsThePartition(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	connect := func(level *int64) (*azeventhubs.PartitionClient, error) {
		return newConsumer(t, h.ConnectionString(addr, "logs"), "$Default").NewPartitionClient("0",
			&azeventhubs.PartitionClientOptions{StartPosition: fromStart, OwnerLevel: level})
	}
	attached := func(level *int64) *azeventhubs.PartitionClient {
		t.Helper()
		pc, err := connect(level)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Publish("logs", "0", localhub.Message{Body: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		receive(t, pc, 1) // the SDK attaches with the first call
		return pc
	}
	lost := func(name string, pc *azeventhubs.PartitionClient) {
		t.Helper()
		for { // what was prefetched before comes first
			_, err := pc.ReceiveEvents(deadline(t), 1, nil)
			if err == nil {
				continue
			}
			var e *azeventhubs.Error
			if !errors.As(err, &e) || e.Code != azeventhubs.ErrorCodeOwnershipLost {
				t.Errorf("%s: %v", name, err)
			}
			return
		}
	}
	plain := attached(nil)
	first := attached(new(int64(0)))
	// Without an owner level the SDK reconnects, and is refused then.
	if _, err := drained(t, plain); err == nil || !strings.Contains(err.Error(), "amqp:link:stolen") {
		t.Errorf("receiver without owner level: %v", err)
	}
	second := attached(new(int64(0)))
	lost("same level", first)
	third := attached(new(int64(7)))
	lost("higher level", second)
	for name, level := range map[string]*int64{"lower level": new(int64(6)), "no level": nil} {
		pc, err := connect(level)
		if err == nil {
			_, err = pc.ReceiveEvents(deadline(t), 1, nil)
		}
		if err == nil || !strings.Contains(err.Error(), "amqp:link:stolen") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := h.Publish("logs", "0", localhub.Message{Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	receive(t, third, 1)
	third.Close(t.Context())
	attached(nil) // the place is free again
}

// drained receives until an error.
func drained(t *testing.T, pc *azeventhubs.PartitionClient) (int, error) {
	for n := 0; ; n++ {
		if _, err := pc.ReceiveEvents(deadline(t), 1, nil); err != nil {
			return n, err
		}
	}
}

func TestOtherGroupsKeepTheirReceivers(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	one := open(t, newConsumer(t, h.ConnectionString(addr, "logs"), "other"), "0",
		azeventhubs.PartitionClientOptions{StartPosition: fromStart, OwnerLevel: new(int64(1))})
	two := open(t, newConsumer(t, h.ConnectionString(addr, "logs"), "$Default"), "0",
		azeventhubs.PartitionClientOptions{StartPosition: fromStart, OwnerLevel: new(int64(9))})
	for range 2 {
		if err := h.Publish("logs", "0", localhub.Message{Body: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		receive(t, one, 1)
		receive(t, two, 1)
	}
}

func TestFiveReceiversWithoutOwnerLevel(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	if err := h.Publish("logs", "0", localhub.Message{Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	c := newConsumer(t, h.ConnectionString(addr, "logs"), "$Default")
	o := azeventhubs.PartitionClientOptions{StartPosition: fromStart}
	for range 5 {
		receive(t, open(t, c, "0", o), 1)
	}
	pc, err := c.NewPartitionClient("0", &o)
	if err == nil {
		_, err = pc.ReceiveEvents(deadline(t), 1, nil)
	}
	if err == nil || !strings.Contains(err.Error(), "amqp:resource-limit-exceeded") {
		t.Errorf("sixth receiver: %v", err)
	}
}
