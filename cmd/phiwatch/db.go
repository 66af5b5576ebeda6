package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"phiwatch/alerting"
	"phiwatch/detectors"
	"phiwatch/ingest"
	"phiwatch/ingest/statements"
)

// openState opens the state database at path and brings its tables up to
// date. durable false trades crash safety for speed: a replay's scratch state.
func openState(ctx context.Context, path string, durable bool) (*sql.DB, error) {
	// It holds audit records. SQLite makes its other files as private as this one.
	if f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err == nil {
		f.Close()
	} // else SQLite says what is wrong
	db, err := statements.Open("sqlite", sqliteDSN(path, durable))
	if err != nil {
		return nil, fmt.Errorf("open state database %s: %w", path, err)
	}
	if err := migrate(ctx, db); err != nil {
		_ = db.Close() // the migration's error is the one to report
		return nil, fmt.Errorf("state database %s: %w%s", path, err, stateRemedy(path, err))
	}
	return db, nil
}

// stateRemedy says what to do about a state that cannot be opened, if that is known.
func stateRemedy(path string, err error) string {
	var of *sqlite.Error
	if !errors.As(err, &of) {
		return ""
	}
	switch of.Code() & 0xff { // the rest tells the circumstances
	case sqlite3.SQLITE_READONLY:
		return "; make the file and its folder writable for phiwatch, or correct state"
	case sqlite3.SQLITE_CANTOPEN:
		return "; make the folder " + filepath.Dir(path) + ", writable for phiwatch, or correct state"
	case sqlite3.SQLITE_NOTADB:
		return "; state names another file than phiwatch's: correct it"
	case sqlite3.SQLITE_CORRUPT:
		return "; put a backup of it in its place"
	}
	return ""
}

// sqliteDSN asks for write-ahead logging, a full sync at each commit (a crash
// of the machine loses nothing), and transactions that take the write lock at
// their beginning, so that two of them wait instead of failing half-way.
func sqliteDSN(path string, durable bool) string {
	sync := "FULL"
	if !durable {
		sync = "OFF"
	}
	q := url.Values{
		"_pragma": {"journal_mode(WAL)", "synchronous(" + sync + ")", "busy_timeout(10000)", "foreign_keys(1)"},
		"_txlock": {"immediate"},
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// migrate runs each package's migrations, each under its own version table. Tables
// of a newer build are left alone: it is not known what they mean.
func migrate(ctx context.Context, db *sql.DB) error {
	for _, m := range []struct {
		table string
		files fs.FS
	}{
		{"schema_ingest", ingest.Migrations()},
		{"schema_detectors", detectors.Migrations()},
		{"schema_alerting", alerting.Migrations()},
	} {
		p, err := goose.NewProvider(goose.DialectSQLite3, db, m.files, goose.WithTableName(m.table), goose.WithDisableGlobalRegistry(true))
		if err != nil {
			return fmt.Errorf("read migrations of %s: %w", m.table, err)
		}
		switch stored, known, err := p.GetVersions(ctx); {
		case err != nil:
			return fmt.Errorf("migrate %s: %w", m.table, err)
		case stored > known:
			return fmt.Errorf("%s is at version %d and this build knows %d: a newer phiwatch has written it; run that one, or put a backup from before in its place", m.table, stored, known)
		}
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate %s: %w", m.table, err)
		}
	}
	return nil
}
