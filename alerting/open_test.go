package alerting

import (
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite"

	"phiwatch/ingest/statements"
)

// database is one empty database that a test may open as often as a process starts.
type database struct {
	driver, dsn string
	dialect     goose.Dialect
}

// onEach runs a test on every database there is: SQLite always, PostgreSQL
// where PHIWATCH_TEST_POSTGRES names one.
func onEach(t *testing.T, test func(t *testing.T, db database)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqlite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, postgres(t)) })
}

// The tests never see each other's rows: each has a copy of one migrated
// SQLite file, or the one PostgreSQL schema, emptied. They do not run in parallel.
var (
	sqliteFile    []byte
	postgresReady *database
	dropSchema    = func() error { return nil }
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := dropSchema(); err != nil {
		fmt.Fprintln(os.Stderr, "drop schema:", err)
		code = 1
	}
	os.Exit(code)
}

func sqlite(t testing.TB) database {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	db := database{"sqlite", "file:" + path + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=busy_timeout(5000)&_txlock=immediate", goose.DialectSQLite3}
	if sqliteFile == nil {
		db.migrate(t)
		exec(t, db.driver, db.dsn, `PRAGMA wal_checkpoint(TRUNCATE)`)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sqliteFile = content
	}
	if err := os.WriteFile(path, sqliteFile, 0o600); err != nil {
		t.Fatal(err)
	}
	return db
}

func postgres(t testing.TB) database {
	t.Helper()
	const name = "PHIWATCH_TEST_POSTGRES"
	dsn := os.Getenv(name)
	if dsn == "" {
		if os.Getenv("PHIWATCH_REQUIRE_ALL") == "1" {
			t.Fatalf("%s does not name a PostgreSQL database", name)
		}
		t.Skipf("%s does not name a PostgreSQL database", name)
	}
	if postgresReady == nil {
		postgresReady = newSchema(t, dsn)
	}
	exec(t, postgresReady.driver, postgresReady.dsn, `TRUNCATE violations, observations, idle_restores, evidence, deliveries,
		delivery_members, delivery_accounts, ledger_counts`)
	return *postgresReady
}

// again returns an empty database of the same sort.
func (d database) again(t testing.TB) database {
	if d.driver == "pgx" {
		return postgres(t)
	}
	return sqlite(t)
}

func newSchema(t testing.TB, dsn string) *database {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("phiwatch_test_%d", time.Now().UnixNano())
	exec(t, "pgx", dsn, "CREATE SCHEMA "+name)
	dropSchema = func() error {
		db, err := sql.Open("pgx", dsn)
		if err != nil {
			return err
		}
		defer db.Close()
		_, err = db.Exec("DROP SCHEMA " + name + " CASCADE")
		return err
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	db := &database{"pgx", u.String(), goose.DialectPostgres}
	db.migrate(t)
	return db
}

func exec(t testing.TB, driver, dsn, query string) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

func (d database) migrate(t testing.TB) {
	t.Helper()
	db := d.open(t)
	defer db.Close()
	p, err := goose.NewProvider(d.dialect, db, Migrations())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (d database) open(t testing.TB) *sql.DB {
	t.Helper()
	open := sql.Open
	if d.driver == "sqlite" {
		open = statements.Open // as the daemon does
	}
	db, err := open(d.driver, d.dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}
