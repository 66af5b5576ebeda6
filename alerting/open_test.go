package alerting

import (
	"crypto/rand"
	"database/sql"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite"
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

func sqlite(t testing.TB) database {
	path := filepath.Join(t.TempDir(), "state.db")
	db := database{"sqlite", "file:" + path + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=busy_timeout(5000)&_txlock=immediate", goose.DialectSQLite3}
	db.migrate(t)
	return db
}

func postgres(t testing.TB) database {
	const name = "PHIWATCH_TEST_POSTGRES"
	dsn := os.Getenv(name)
	if dsn == "" {
		if os.Getenv("PHIWATCH_REQUIRE_ALL") == "1" {
			t.Fatalf("%s does not name a PostgreSQL database", name)
		}
		t.Skipf("%s does not name a PostgreSQL database", name)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	schema := "alerting_" + rand.Text()
	exec(t, "pgx", dsn, `CREATE SCHEMA "`+schema+`"`)
	t.Cleanup(func() { exec(t, "pgx", dsn, `DROP SCHEMA "`+schema+`" CASCADE`) })
	q := u.Query()
	q.Set("search_path", `"`+schema+`"`)
	u.RawQuery = q.Encode()
	db := database{"pgx", u.String(), goose.DialectPostgres}
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
	db, err := sql.Open(d.driver, d.dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}
