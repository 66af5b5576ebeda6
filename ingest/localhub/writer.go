package localhub

import (
	"time"

	"phiwatch/ingest/localhub/internal/amqp"
)

// writeSize is about how much goes out in one write: enough to make the cost
// of a system call disappear, little enough to stay in a processor's cache.
const writeSize = 256 << 10

// minHeartbeat keeps a client that asks for an absurd pace from getting it.
const minHeartbeat = 50 * time.Millisecond

// write sends what is pending and what the outlets have, until the connection
// closes.
func (c *conn) write() {
	defer c.buried()
	w := &deliveries{}
	var heartbeat time.Duration
	if c.peerIdle > 0 {
		heartbeat = max(c.peerIdle/2, minHeartbeat)
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		closing := c.collect(w)
		if len(w.buf) > 0 {
			timeout := writeTimeout
			if closing {
				timeout = goodbyeTimeout
			}
			if c.flush(w.buf, timeout) != nil {
				return
			}
		}
		if closing || w.cut {
			return
		}
		if len(w.buf) > 0 {
			continue
		}
		idle := time.Hour
		if heartbeat > 0 {
			idle = heartbeat
		}
		if w.wait > 0 {
			idle = min(idle, w.wait)
		}
		timer.Reset(idle)
		select {
		case <-c.wake:
		case <-timer.C:
			if idle == heartbeat && c.flush(amqp.AppendEmptyFrame(nil), writeTimeout) != nil {
				return
			}
		}
	}
}

// deliveries gathers one write.
type deliveries struct {
	buf  []byte
	wait time.Duration // until a held-back delivery is due, 0 if none is
	cut  bool          // a fault asks for the connection to be cut after buf
}

// collect takes what is pending and then deliveries, each outlet in its turn.
func (c *conn) collect(w *deliveries) (closing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w.buf, w.wait, w.cut = append(w.buf[:0], c.pending...), 0, false
	c.pending = c.pending[:0]
	c.room.Broadcast()
	if c.closing {
		return true
	}
	for i := range c.outlets {
		o := c.outlets[(c.turn+i)%len(c.outlets)]
		o.fill(w)
		if len(w.buf) >= writeSize || w.cut {
			break
		}
	}
	c.turn++
	return false
}

func (c *conn) flush(b []byte, timeout time.Duration) error {
	c.nc.SetWriteDeadline(time.Now().Add(timeout))
	_, err := c.nc.Write(b)
	return err
}

// buried ends the connection: the reader's next read fails, senders stop.
func (c *conn) buried() {
	c.nc.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = true
	c.room.Broadcast()
}
