package localhub

import (
	"hash/fnv"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// entity is one hub.
type entity struct {
	name       string
	created    time.Time
	partitions []*partition
	groups     map[string]bool // lower-case names
	turn       atomic.Uint32   // round robin for events without a key
}

func newEntity(hc HubConfig, cfg Config) *entity {
	e := &entity{name: hc.Name, created: cfg.Now().UTC().Truncate(time.Millisecond),
		groups: map[string]bool{strings.ToLower(DefaultConsumerGroup): true}}
	for _, g := range hc.ConsumerGroups {
		e.groups[strings.ToLower(g)] = true
	}
	for i := range hc.Partitions {
		e.partitions = append(e.partitions, newPartition(strconv.Itoa(i), cfg))
	}
	return e
}

// partition finds a partition by id.
func (e *entity) partition(id string) *partition {
	n, err := strconv.ParseUint(id, 10, 16)
	if err != nil || int(n) >= len(e.partitions) || strconv.FormatUint(n, 10) != id {
		return nil
	}
	return e.partitions[n]
}

// choose picks the partition of an event sent to the hub as a whole: always
// the same one for a key, the next in turn without one.
func (e *entity) choose(key string) *partition {
	if key == "" {
		return e.partitions[int(e.turn.Add(1)-1)%len(e.partitions)]
	}
	h := fnv.New32a()
	h.Write([]byte(key))
	return e.partitions[int(h.Sum32())%len(e.partitions)]
}

func (e *entity) partitionIDs() []string {
	ids := make([]string, len(e.partitions))
	for i, p := range e.partitions {
		ids[i] = p.id
	}
	return ids
}

// address is what a link's source or target names.
type address struct {
	node             string // $cbs or $management, else ""
	hub, group, part string // as written; group and part may be ""
}

// parseAddress understands the addresses that Event Hubs clients use,
// with or without "amqps://host/" before them.
func parseAddress(s string) (address, bool) {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		_, s, _ = strings.Cut(rest, "/")
	}
	segments := strings.Split(strings.Trim(s, "/"), "/")
	last := strings.ToLower(segments[len(segments)-1])
	if last == "$cbs" || last == "$management" {
		return address{node: last}, len(segments) <= 2
	}
	a := address{hub: segments[0]}
	rest := segments[1:]
	if len(rest) >= 2 && strings.EqualFold(rest[0], "ConsumerGroups") {
		a.group, rest = rest[1], rest[2:]
	}
	if len(rest) == 2 && strings.EqualFold(rest[0], "Partitions") {
		a.part, rest = rest[1], nil
	}
	return a, len(rest) == 0 && a.hub != ""
}
