package localhub_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"phiwatch/ingest/localhub"
)

// A hub, an event published from within the process, and Microsoft's SDK that
// receives it.
func Example() {
	hub, err := localhub.New(localhub.Config{Hubs: []localhub.HubConfig{{Name: "insights-logs-auditlogs", Partitions: 1}}})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- hub.Serve(ctx, ln) }()

	event := localhub.Message{Body: []byte(`{"records":[{"operationName":"Delete conditional access policy"}]}`)}
	if err := hub.Publish("insights-logs-auditlogs", "", event); err != nil {
		log.Fatal(err)
	}

	client, err := azeventhubs.NewConsumerClientFromConnectionString(
		hub.ConnectionString(ln.Addr().String(), "insights-logs-auditlogs"), "", azeventhubs.DefaultConsumerGroup, nil)
	if err != nil {
		log.Fatal(err)
	}
	partition, err := client.NewPartitionClient("0", &azeventhubs.PartitionClientOptions{StartPosition: fromStart})
	if err != nil {
		log.Fatal(err)
	}
	events, err := partition.ReceiveEvents(ctx, 1, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d: %s\n", events[0].SequenceNumber, events[0].Body)
	partition.Close(ctx)
	client.Close(ctx)
	stop()
	if err := <-served; err != nil {
		log.Fatal(err)
	}
	// Output: 0: {"records":[{"operationName":"Delete conditional access policy"}]}
}
