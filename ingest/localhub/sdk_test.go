package localhub_test

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest/localhub"
)

func TestProducerSendsAndConsumerReceivesFromEarliest(t *testing.T) {
	h, addr := serve(t, localhub.Config{})
	p := newProducer(t, h.ConnectionString(addr, "logs"))
	send(t, p, azeventhubs.EventDataBatchOptions{PartitionID: ptr("1")}, numbered(0, 3)...)
	pc := open(t, newConsumer(t, h.ConnectionString(addr, "logs"), azeventhubs.DefaultConsumerGroup), "1",
		azeventhubs.PartitionClientOptions{StartPosition: fromStart})
	if diff := cmp.Diff([]string{"0", "1", "2"}, receive(t, pc, 3)); diff != "" {
		t.Error(diff)
	}
	props, err := p.GetEventHubProperties(deadline(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0", "1"}, props.PartitionIDs); diff != "" || props.Name != "logs" {
		t.Error(props, diff)
	}
}
