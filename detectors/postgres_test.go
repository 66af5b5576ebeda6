package detectors

import (
	"database/sql"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"phiwatch/detectors/rules"
	"phiwatch/ingest/pgtest"
)

// openPostgres opens an empty schema.
func openPostgres(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", pgtest.Schema(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
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
