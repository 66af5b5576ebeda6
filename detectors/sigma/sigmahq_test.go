package sigma

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sigmaHQ returns the folder that $PHIWATCH_SIGMAHQ names: a checkout of
// github.com/SigmaHQ/sigma.
func sigmaHQ(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("PHIWATCH_SIGMAHQ")
	if dir == "" {
		t.Skip("PHIWATCH_SIGMAHQ is not set: it must name a checkout of github.com/SigmaHQ/sigma")
	}
	return dir
}

func ruleFiles(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yml" {
			return err
		}
		data, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir+"/")] = data
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestEveryRuleOfSigmaHQLoads(t *testing.T) {
	dir := sigmaHQ(t)
	for _, part := range []string{"rules", "rules-compliance", "rules-emerging-threats", "rules-placeholder", "rules-threat-hunting"} {
		t.Run(part, func(t *testing.T) {
			files := ruleFiles(t, filepath.Join(dir, part))
			warnings := 0
			for name, data := range files {
				docs, err := Parse(name, data)
				if err != nil {
					t.Errorf("%v", err)
				}
				for _, d := range docs {
					warnings += len(d.Head().Warnings)
					for _, w := range d.Head().Warnings {
						t.Logf("warning: %v", w)
					}
					compileDocument(t, d)
				}
			}
			t.Logf("%d files, %d warnings", len(files), warnings)
		})
	}
}

func compileDocument(t *testing.T, d Document) {
	t.Helper()
	r, ok := d.(*Rule)
	if !ok {
		return
	}
	m, err := Compile(r.Detection, Options{})
	if err != nil {
		t.Errorf("compile %s: %v", r.File, err)
		return
	}
	if m.Never() && len(m.Warnings) == 0 {
		t.Errorf("%s can never match and gives no warning", r.File)
	}
}

// What Sigma no longer has is refused by a positioned error that names the
// successor.
func TestAggregationsOfSigmaHQAreRefusedByName(t *testing.T) {
	dir := sigmaHQ(t)
	refused := 0
	for name, data := range ruleFiles(t, filepath.Join(dir, "unsupported")) {
		_, err := Parse(name, data)
		if err == nil {
			continue
		}
		if e, ok := errors.AsType[*Error](err); !ok || e.Line < 1 || e.Column < 1 {
			t.Errorf("error without position: %v", err)
		}
		if strings.Contains(err.Error(), "is no longer part of Sigma") {
			refused++
			continue
		}
		t.Logf("%v", err)
	}
	if refused < 30 {
		t.Errorf("%d rules with aggregations were refused, want the 30 and more that the folder has", refused)
	}
}
