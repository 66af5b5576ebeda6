package statements

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"
)

func dsn(t testing.TB) string {
	return "file:" + filepath.Join(t.TempDir(), "state.db") + "?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_txlock=immediate"
}

func keptDB(t *testing.T) *sql.DB {
	t.Helper()
	db, err := Open("sqlite", dsn(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := db.Exec(`CREATE TABLE things (n INTEGER PRIMARY KEY, name TEXT)`); err != nil {
		t.Fatal(err)
	}
	return db
}

// The same text inside the reading of its own rows, repeated, failing, rolled
// back, and after the table has changed.
func TestKeptStatements(t *testing.T) {
	db := keptDB(t)
	const insert, read = `INSERT INTO things (n, name) VALUES ($1, $2)`, `SELECT name FROM things WHERE n >= $1 ORDER BY n`
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if _, err := tx.Exec(insert, n, fmt.Sprint("thing ", n)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tx.Exec(insert, 1, "again"); err == nil {
		t.Fatal("a key was given twice")
	}
	if _, err := tx.Exec(insert, 3, nil); err != nil {
		t.Fatalf("after a failure: %v", err)
	}
	rows, err := tx.Query(read, 0)
	if err != nil {
		t.Fatal(err)
	}
	var seen string
	for rows.Next() {
		var name, inner sql.NullString
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if err := tx.QueryRow(read, 2).Scan(&inner); err != nil {
			t.Fatal(err)
		}
		seen += name.String + "/" + inner.String + " "
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if want := "thing 0/thing 2 thing 1/thing 2 thing 2/thing 2 /thing 2 "; seen != want {
		t.Errorf("read %q, want %q", seen, want)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`ALTER TABLE things ADD COLUMN extra TEXT`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(insert, 7, "seven"); err != nil {
		t.Fatalf("after the table changed: %v", err)
	}
	var name string
	if err := db.QueryRow(read, 0).Scan(&name); err != nil || name != "seven" {
		t.Errorf("read %q, %v, want seven", name, err)
	}
}

// More texts than are kept, each of them good for several uses.
func TestKeptStatementsAreBounded(t *testing.T) {
	db := keptDB(t)
	db.SetMaxOpenConns(1)
	for range 2 {
		for n := range maxStatements + 20 {
			var got int
			if err := db.QueryRow(fmt.Sprintf("SELECT $1 + %d", n), 1).Scan(&got); err != nil || got != n+1 {
				t.Fatalf("got %d, %v, want %d", got, err, n+1)
			}
		}
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Raw(func(c any) error {
		if n := len(c.(*keptConn).idle); n != maxStatements {
			t.Errorf("%d statements are kept, want %d", n, maxStatements)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func BenchmarkStatement(b *testing.B) {
	for name, open := range map[string]func(driver, dsn string) (*sql.DB, error){"kept": Open, "prepared-each-time": sql.Open} {
		b.Run(name, func(b *testing.B) {
			db, err := open("sqlite", dsn(b))
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Exec(`CREATE TABLE things (n INTEGER PRIMARY KEY, name TEXT)`); err != nil {
				b.Fatal(err)
			}
			tx, err := db.Begin()
			if err != nil {
				b.Fatal(err)
			}
			defer tx.Rollback()
			for n := 0; b.Loop(); n++ {
				if _, err := tx.Exec(`INSERT INTO things (n, name) VALUES ($1, $2) ON CONFLICT (n) DO UPDATE SET name = excluded.name WHERE excluded.name < things.name`, n%1000, "a thing"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
