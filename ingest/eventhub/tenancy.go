package eventhub

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
)

// tenancy is the Store as one session's Processor sees it: the session learns
// of what it wins and loses, and starting points are settled.
type tenancy struct{ s *session }

var _ azeventhubs.CheckpointStore = tenancy{}

// ListOwnership is the Store's. A sole process does not write its renewals, so
// what it owns is as fresh as ever.
func (t tenancy) ListOwnership(ctx context.Context, namespace, hub, group string, o *azeventhubs.ListOwnershipOptions) ([]azeventhubs.Ownership, error) {
	all, err := t.s.store.ListOwnership(ctx, namespace, hub, group, o)
	for i := range all {
		if t.s.sole && all[i].OwnerID == t.s.owner {
			all[i].LastModifiedTime = t.s.timing.now()
		}
	}
	return all, err
}

// SetCheckpoint is the Store's: refused.
func (t tenancy) SetCheckpoint(ctx context.Context, c azeventhubs.Checkpoint, o *azeventhubs.SetCheckpointOptions) error {
	return t.s.store.SetCheckpoint(ctx, c, o)
}

// ListCheckpoints is the Store's, after the starting points of partitions
// about to be opened are settled. An error ends the session: the Processor
// would keep it to itself and never open those partitions again, because it
// takes them for open (addPartitionClient in v2.0.2 forgets to undo that).
func (t tenancy) ListCheckpoints(ctx context.Context, namespace, hub, group string, o *azeventhubs.ListCheckpointsOptions) ([]azeventhubs.Checkpoint, error) {
	err := t.s.settle(ctx, t.s.unopened())
	var all []azeventhubs.Checkpoint
	if err == nil {
		all, err = t.s.store.ListCheckpoints(ctx, namespace, hub, group, o)
	}
	if err != nil {
		t.s.stop(fmt.Errorf("find where to start: %w", err))
	}
	return all, err
}

// ClaimOwnership is the Store's, with three additions. A sole process writes no
// renewals: under load they would wait for the batches' transactions. A partition that has been
// lost is no longer read. And a partition that was lost is not claimed again
// while a batch of the earlier tenure is still in hand, because its commit
// would then look like the owner's.
func (t tenancy) ClaimOwnership(ctx context.Context, want []azeventhubs.Ownership, o *azeventhubs.ClaimOwnershipOptions) ([]azeventhubs.Ownership, error) {
	if len(want) > 0 && want[0].OwnerID == "" { // the Processor closes and gives up what it has
		return t.s.store.ClaimOwnership(ctx, want, o)
	}
	want = t.s.claimable(want)
	if t.s.sole && t.s.holds(want) {
		return want, nil // nothing to tell anybody
	}
	got, err := t.s.store.ClaimOwnership(ctx, want, o)
	if err != nil {
		return nil, err
	}
	t.s.claimed(got)
	return got, nil
}

// holds reports whether want is exactly what is owned already.
func (s *session) holds(want []azeventhubs.Ownership) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range want {
		if o.ETag == nil || s.claims[o.PartitionID].etag != string(*o.ETag) {
			return false
		}
	}
	return len(want) == len(s.claims)
}

// claimable leaves out what changed hands while it is still being read here.
func (s *session) claimable(want []azeventhubs.Ownership) []azeventhubs.Ownership {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []azeventhubs.Ownership
	for _, o := range want {
		renewal := o.ETag != nil && s.claims[o.PartitionID].etag == string(*o.ETag)
		if s.pumps[o.PartitionID] != nil && !renewal {
			continue
		}
		out = append(out, o)
	}
	return out
}

// claimed notes what is owned now and ends the pumps of what is not.
func (s *session) claimed(got []azeventhubs.Ownership) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := map[string]claim{}
	for _, o := range got {
		c := claim{etag: string(*o.ETag), since: o.LastModifiedTime}
		if before, ok := s.claims[o.PartitionID]; ok {
			c.since = before.since
		}
		now[o.PartitionID] = c
	}
	for id, p := range s.pumps {
		if _, ok := now[id]; !ok {
			p.cancel()
		}
	}
	s.claims = now
}

// unopened returns the partitions that are owned and not read yet, each with how long it is owned.
func (s *session) unopened() map[string]claim {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]claim{}
	for id, c := range s.claims {
		if s.pumps[id] == nil {
			out[id] = c
		}
	}
	return out
}
