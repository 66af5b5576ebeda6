package localhub

import "time"

// Stats is what a namespace has done and holds.
type Stats struct {
	Connections int   // now
	Accepted    int64 // connections since the start
	Partitions  []PartitionStats
}

// PartitionStats describes one partition.
type PartitionStats struct {
	Hub, ID      string
	First, Last  int64 // sequence numbers kept; Last is -1 before the first event
	LastEnqueued time.Time
	Events       int   // kept
	Bytes        int64 // kept, bookkeeping included
	Evicted      int64 // events dropped by retention
	Delivered    int64 // deliveries to consumers, repeats included
	Consumers    int   // now
}

// Stats takes stock, hubs in the order of the configuration.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	s := Stats{Connections: len(h.conns), Accepted: h.accepted}
	h.mu.Unlock()
	for _, hc := range h.cfg.Hubs {
		e := h.entity(hc.Name)
		for _, p := range e.partitions {
			s.Partitions = append(s.Partitions, p.stats(e.name))
		}
	}
	return s
}

func (p *partition) stats(hub string) PartitionStats {
	pr := p.properties()
	consumers := len(p.members())
	p.mu.RLock()
	defer p.mu.RUnlock()
	return PartitionStats{Hub: hub, ID: p.id, First: pr.begin, Last: pr.last, LastEnqueued: pr.lastTime,
		Events: len(p.log), Bytes: p.bytes, Evicted: p.evicted, Delivered: p.delivered.Load(), Consumers: consumers}
}
