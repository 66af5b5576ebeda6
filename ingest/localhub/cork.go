package localhub

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
)

// corkedConn gathers what crypto/tls writes. TLS records hold at most 16 KiB
// and each would be a system call; this makes one of a whole write.
type corkedConn struct {
	net.Conn

	mu     sync.Mutex // guards what follows; the reading side of TLS writes too
	corked bool
	buf    []byte
}

func (c *corkedConn) cork() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.corked = true
}

func (c *corkedConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.corked {
		return c.Conn.Write(b)
	}
	c.buf = append(c.buf, b...)
	return len(b), nil
}

func (c *corkedConn) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.Conn.Write(c.buf)
	c.buf = c.buf[:0]
	return err
}

// Close sends what TLS said last, unless a write is stuck.
func (c *corkedConn) Close() error {
	var last error
	if c.mu.TryLock() {
		_, last = c.Conn.Write(c.buf)
		c.buf = nil
		c.mu.Unlock()
	}
	return errors.Join(last, c.Conn.Close())
}

// tlsConn is a server's end of TLS over a corked connection.
type tlsConn struct {
	*tls.Conn
	under *corkedConn
}

func (c *tlsConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err != nil {
		return n, err
	}
	return n, c.under.flush()
}
