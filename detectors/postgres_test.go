package detectors

import (
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"phiwatch/detectors/rules"
)

// openPostgres opens an empty schema of the server that PHIWATCH_TEST_POSTGRES
// names.
func openPostgres(t *testing.T) *sql.DB {
	t.Helper()
	const name = "PHIWATCH_TEST_POSTGRES"
	dsn := os.Getenv(name)
	if dsn == "" {
		if os.Getenv("PHIWATCH_REQUIRE_ALL") == "1" {
			t.Fatalf("%s names no server", name)
		}
		t.Skipf("%s names no server", name)
	}
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	schema := fmt.Sprintf("detectors_%d", time.Now().UnixNano())
	if _, err := admin.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatal(err)
	}
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	db, err := sql.Open("pgx", dsn+separator+"search_path="+schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db.Close()
		if _, err := admin.Exec("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			t.Error(err)
		}
		admin.Close()
	})
	p, err := goose.NewProvider(goose.DialectPostgres, db, Migrations())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// TestCatalogOnPostgreSQL finds in the catalog's test events what is found on
// SQLite: the same statements, the same answers.
func TestCatalogOnPostgreSQL(t *testing.T) {
	e, db := loadCatalog(t), openPostgres(t)
	for _, r := range e.Rules() {
		s, err := ReadScenario(rules.FS, r.File)
		if err != nil {
			t.Fatal(err)
		}
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Play(t.Context(), tx, r, s, nil)
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
		if err != nil {
			t.Errorf("%s: %v", r.Entry, err)
			continue
		}
		if diff := cmp.Diff(s.Want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", r.Entry, diff)
		}
	}
}
