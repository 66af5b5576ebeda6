package eventhub

import (
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"phiwatch/ingest"
)

func TestWhatExpiredIsLostAndDoesNotWait(t *testing.T) {
	now := time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		props          azeventhubs.PartitionProperties
		events         int64
		after, expired int64
	}{
		"all read":                  {azeventhubs.PartitionProperties{BeginningSequenceNumber: 3, LastEnqueuedSequenceNumber: 9}, 0, 0, 0},
		"some wait":                 {azeventhubs.PartitionProperties{BeginningSequenceNumber: 3, LastEnqueuedSequenceNumber: 12}, 3, 0, 0},
		"the oldest kept is next":   {azeventhubs.PartitionProperties{BeginningSequenceNumber: 10, LastEnqueuedSequenceNumber: 12}, 3, 0, 0},
		"some expired, others wait": {azeventhubs.PartitionProperties{BeginningSequenceNumber: 12, LastEnqueuedSequenceNumber: 12}, 1, 9, 11},
		"all expired":               {azeventhubs.PartitionProperties{BeginningSequenceNumber: 0, LastEnqueuedSequenceNumber: 12, IsEmpty: true}, 0, 9, 12},
		"all read, then expired":    {azeventhubs.PartitionProperties{LastEnqueuedSequenceNumber: 9, IsEmpty: true}, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := &state{parts: map[string]*partState{"0": {}}, anew: map[string]bool{}}
			s.decided("0", ingest.Message{Position: ingest.Position{Sequence: 9}, Enqueued: now.Add(-time.Hour)})
			s.asked("0", c.props, start{}, now)
			events, behind := s.parts["0"].lag(now.Add(time.Minute))
			after, expired := s.parts["0"].expired()
			if events != c.events || after != c.after || expired != c.expired || (behind > 0) != (c.events > 0) {
				t.Errorf("got %d waiting for %s, expired after %d up to %d; want %d waiting, after %d up to %d", events, behind, after, expired, c.events, c.after, c.expired)
			}
		})
	}
}
