package document

import (
	"bufio"
	"os"
	"path/filepath"
	"testing"
)

// corpusLines calls f with every payload of the corpus of published records,
// which is no part of the repository.
func corpusLines(t testing.TB, f func(name string, line []byte)) {
	t.Helper()
	files, _ := filepath.Glob("../../../shared/corpus/*/*.jsonl")
	if len(files) == 0 {
		if os.Getenv("PHIWATCH_REQUIRE_ALL") == "1" {
			t.Fatal("no corpus at ../shared/corpus")
		}
		t.Skip("no corpus at ../shared/corpus: nothing to read")
	}
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			f(filepath.Base(name), append([]byte(nil), lines.Bytes()...))
		}
		if err := lines.Err(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		file.Close()
	}
}

func TestCorpusParses(t *testing.T) {
	var d Document
	count := 0
	corpusLines(t, func(name string, line []byte) {
		count++
		if err := d.Parse(line); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		checkTape(t, &d.main)
	})
	t.Logf("%d payloads", count)
}
