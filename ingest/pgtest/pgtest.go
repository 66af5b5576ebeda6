// Package pgtest gives tests a schema of their own on a PostgreSQL server.
package pgtest

import (
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
)

// Server names the server, as a connection string.
const Server = "PHIWATCH_TEST_POSTGRES"

// Schema returns the connection string of an empty schema, for the driver pgx. It
// is dropped when the test ends. Without a server the test is skipped, or fails
// with PHIWATCH_REQUIRE_ALL=1.
func Schema(t testing.TB) string {
	t.Helper()
	dsn := os.Getenv(Server)
	if dsn == "" {
		if os.Getenv("PHIWATCH_REQUIRE_ALL") == "1" {
			t.Fatalf("%s names no server", Server)
		}
		t.Skipf("%s names no server", Server)
	}
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	schema := fmt.Sprintf("phiwatch_test_%d", time.Now().UnixNano())
	if _, err := admin.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			t.Error(err)
		}
		admin.Close()
	})
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	return dsn + separator + "search_path=" + schema
}
