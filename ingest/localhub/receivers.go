package localhub

import "fmt"

// maxReceivers is how many receivers without an owner level may read one
// partition for one consumer group.
const maxReceivers = 5

// receivers are those of one consumer group on one partition: either up to
// maxReceivers without an owner level, or one with.
type receivers struct {
	members []*consumer
	level   int64
	owned   bool // there is one member, and it has an owner level
	owner   string
}

func (r *receivers) wake() {
	for _, m := range r.members {
		m.outlet.session.conn.signal()
	}
}

// join takes a place for a consumer, by the service's rules: an owner level
// displaces all receivers of a lower or equal level or of none, and is refused
// below the present one; without a level there is no place beside an owner.
// The losers are no longer members and are to be detached.
func (p *partition) join(group string, f *consumer, level int64, hasLevel bool, name string) (*receivers, []*consumer, *condition) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.receivers[group]
	if r == nil {
		r = &receivers{}
		p.receivers[group] = r
	}
	if r.owned && len(r.members) > 0 && (!hasLevel || level < r.level) {
		return nil, nil, &condition{condStolen, fmt.Sprintf(
			"receiver '%.100s' with a higher epoch of '%d' already exists on partition %s; "+
				"a receiver needs an epoch at least as high", r.owner, r.level, p.id)}
	}
	if !hasLevel {
		if len(r.members) >= maxReceivers {
			return nil, nil, &condition{condLimit, fmt.Sprintf(
				"exceeded the maximum number of receivers per partition in a consumer group, which is %d", maxReceivers)}
		}
		r.members, r.owned = append(r.members, f), false
		return r, nil, nil
	}
	losers := r.members
	*r = receivers{members: []*consumer{f}, level: level, owned: true, owner: name}
	return r, losers, nil
}

// leave gives a place up, if the consumer still has it.
func (p *partition) leave(f *consumer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := f.group
	for i := range r.members {
		if r.members[i] == f {
			r.members = append(r.members[:i:i], r.members[i+1:]...)
			return
		}
	}
}

func stolen(l *consumer, by string, level int64) *condition {
	return &condition{condStolen, fmt.Sprintf(
		"new receiver '%.100s' with epoch '%d' is created on partition %s, hence the current receiver is disconnected",
		by, level, l.partition.id)}
}
