package alerting

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync"
	"testing"
)

var errDied = errors.New("the process died")

// faults is a database whose process dies: at an operation (statement, begin
// or commit) counted from the first, or when told. From then on nothing works.
type faults struct {
	mu    sync.Mutex
	left  int  // operations until it dies, 0: never
	keep  bool // a commit at which it dies has happened all the same
	dead  bool
	count int
}

func (f *faults) die() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = true
}

func (f *faults) died() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

// op reports whether the operation is done and whether it is answered.
func (f *faults) op(commit bool) (do bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return false, errDied
	}
	f.count++
	if f.count == f.left {
		f.dead = true
		return commit && f.keep, errDied
	}
	return true, nil
}

// openFaulty opens the database as a process would that dies by f.
func (d database) openFaulty(t testing.TB, f *faults) *sql.DB {
	t.Helper()
	plain := d.open(t)
	db := sql.OpenDB(&faultyConnector{plain.Driver(), d.dsn, f})
	t.Cleanup(func() { db.Close() })
	return db
}

type faultyConnector struct {
	driver driver.Driver
	dsn    string
	f      *faults
}

func (c *faultyConnector) Driver() driver.Driver { return c.driver }

func (c *faultyConnector) Connect(context.Context) (driver.Conn, error) {
	if c.f.died() {
		return nil, errDied
	}
	conn, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	return &faultyConn{conn, c.f}, nil
}

type faultyConn struct {
	driver.Conn
	f *faults
}

func (c *faultyConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *faultyConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if _, err := c.f.op(false); err != nil {
		return nil, err
	}
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
	return &faultyTx{tx, c.f}, err
}

func (c *faultyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if _, err := c.f.op(false); err != nil {
		return nil, err
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c *faultyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if _, err := c.f.op(false); err != nil {
		return nil, err
	}
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

func (c *faultyConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if _, err := c.f.op(false); err != nil {
		return nil, err
	}
	stmt, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	return &faultyStmt{stmt, c.f}, err
}

type faultyStmt struct {
	driver.Stmt
	f *faults
}

func (s *faultyStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if _, err := s.f.op(false); err != nil {
		return nil, err
	}
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

type faultyTx struct {
	driver.Tx
	f *faults
}

func (t *faultyTx) Commit() error {
	do, err := t.f.op(true)
	if !do {
		t.Tx.Rollback()
		return err
	}
	return errors.Join(t.Tx.Commit(), err)
}
