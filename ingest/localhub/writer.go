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
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for last := time.Now(); ; {
		closing := c.collect(w)
		quiet := c.untilHeartbeat(last)
		if len(w.buf) == 0 && quiet <= 0 {
			w.buf = amqp.AppendEmptyFrame(w.buf)
		}
		if len(w.buf) > 0 {
			if c.flush(w.buf, closing) != nil {
				return
			}
			last = time.Now()
		}
		if closing || w.cut {
			return
		}
		if len(w.buf) > 0 {
			continue
		}
		if w.wait > 0 {
			quiet = min(quiet, w.wait)
		}
		timer.Reset(quiet)
		select {
		case <-c.wake:
		case <-timer.C:
		}
	}
}

// untilHeartbeat is how long the client may still be left without a word.
func (c *conn) untilHeartbeat(last time.Time) time.Duration {
	if c.peerIdle == 0 {
		return time.Hour
	}
	return time.Until(last.Add(max(c.peerIdle/2, minHeartbeat)))
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

func (c *conn) flush(b []byte, closing bool) error {
	timeout := writeTimeout
	if closing {
		timeout = goodbyeTimeout
	}
	if err := c.nc.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	_, err := c.nc.Write(b)
	return err
}

// buried ends the writing side: the reader's next read fails, senders stop.
func (c *conn) buried() {
	c.mu.Lock()
	c.dead = true
	c.room.Broadcast()
	lingers := c.lingers
	c.mu.Unlock()
	if !lingers {
		c.nc.Close()
	}
}
