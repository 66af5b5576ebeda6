// Package statements opens databases whose connections keep their prepared
// statements. The driver of the embedded database prepares the text of a statement
// at each call, which takes longer than most of ours take to run.
package statements

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxStatements bounds what a connection keeps prepared.
const maxStatements = 256

// Open is sql.Open for a driver whose connections and statements have the methods of
// database/sql/driver that take a context; others are refused at the first use.
func Open(driverName, dsn string) (*sql.DB, error) {
	db, err := sql.Open(driverName, dsn)
	if err != nil {
		return nil, err
	}
	d := db.Driver()
	return sql.OpenDB(keeping{d, dsn}), db.Close()
}

// keeping is a driver.Connector.
type keeping struct {
	driver driver.Driver
	dsn    string
}

func (k keeping) Driver() driver.Driver { return k.driver }

func (k keeping) Connect(context.Context) (driver.Conn, error) {
	c, err := k.driver.Open(k.dsn)
	if err != nil {
		return nil, err
	}
	full, ok := c.(fullConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the database driver's %T lacks methods of database/sql/driver", c), c.Close())
	}
	return &keptConn{fullConn: full, idle: map[string]fullStmt{}}, nil
}

// fullConn is what the driver's connections are.
type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type fullStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// keptConn is a connection, which database/sql uses from one goroutine at a time.
type keptConn struct {
	fullConn
	idle map[string]fullStmt // prepared and not in use
}

// take returns a statement that nobody uses, nil if the text is not worth to be
// kept.
func (c *keptConn) take(ctx context.Context, query string) (fullStmt, error) {
	if s, ok := c.idle[query]; ok {
		delete(c.idle, query)
		return s, nil
	}
	switch verb, _, _ := strings.Cut(query, " "); verb {
	case "SELECT", "INSERT", "UPDATE", "DELETE":
	default:
		return nil, nil
	}
	prepared, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s, ok := prepared.(fullStmt)
	if !ok {
		return nil, prepared.Close()
	}
	return s, nil
}

// keep makes a statement that was used without error ready for the next use.
func (c *keptConn) keep(query string, s fullStmt) error {
	if _, twice := c.idle[query]; twice || len(c.idle) >= maxStatements {
		return s.Close()
	}
	c.idle[query] = s
	return nil
}

// ExecContext implements driver.ExecerContext.
func (c *keptConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.take(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return c.fullConn.ExecContext(ctx, query, args)
	}
	r, err := s.ExecContext(ctx, args)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return r, c.keep(query, s)
}

// QueryContext implements driver.QueryerContext.
func (c *keptConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.take(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return c.fullConn.QueryContext(ctx, query, args)
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &keptRows{Rows: rows, conn: c, query: query, stmt: s}, nil
}

// Close closes what is kept, too.
func (c *keptConn) Close() error {
	var errs []error
	for _, s := range c.idle {
		errs = append(errs, s.Close())
	}
	clear(c.idle)
	return errors.Join(append(errs, c.fullConn.Close())...)
}

// keptRows gives its statement back when it is closed.
type keptRows struct {
	driver.Rows
	conn  *keptConn
	query string
	stmt  fullStmt
	bad   bool
}

// Next implements driver.Rows.
func (r *keptRows) Next(dest []driver.Value) error {
	err := r.Rows.Next(dest)
	r.bad = r.bad || err != nil && !errors.Is(err, io.EOF)
	return err
}

// Close implements driver.Rows.
func (r *keptRows) Close() error {
	err := r.Rows.Close()
	switch {
	case r.stmt == nil:
	case err != nil || r.bad:
		err = errors.Join(err, r.stmt.Close())
	default:
		err = r.conn.keep(r.query, r.stmt)
	}
	r.stmt = nil
	return err
}
