package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "phiwatch"

// root is the repository's root, seen from this package's tests.
const root = "../.."

// goFile is one Go file of the project with its imports.
type goFile struct {
	path    string // slash-separated, from the root
	pkg     string // import path below the module: "ingest/eventhub"
	test    bool
	doc     string // package comment
	imports []string
}

func goFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		g := goFile{path: filepath.ToSlash(rel), test: strings.HasSuffix(name, "_test.go")}
		g.pkg = path.Dir(g.path)
		if f.Doc != nil {
			g.doc = f.Doc.Text()
		}
		for _, i := range f.Imports {
			g.imports = append(g.imports, strings.Trim(i.Path.Value, `"`))
		}
		files = append(files, g)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// layers is the way data goes; a package may import its own layer's root and
// everything before it.
var layers = []string{"ingest", "detectors", "alerting", "cmd"}

func layer(pkg string) int {
	top, _, _ := strings.Cut(pkg, "/")
	return slices.Index(layers, top)
}

func TestImportsPointOneWay(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		for _, imp := range f.imports {
			pkg, ours := strings.CutPrefix(imp, module+"/")
			if !ours {
				continue
			}
			if layer(pkg) > layer(f.pkg) {
				t.Errorf("%s imports %s: data goes %s", f.path, imp, strings.Join(layers, " → "))
			}
			if strings.HasPrefix(f.pkg, "detectors/sigma") && !strings.HasPrefix(pkg, "detectors/sigma") {
				t.Errorf("%s imports %s: package sigma knows nothing of phiwatch", f.path, imp)
			}
		}
	}
}

func TestOnlyEventhubImportsTheMessagingSDK(t *testing.T) {
	for _, f := range goFiles(t) {
		for _, imp := range f.imports {
			messaging := strings.Contains(imp, "/sdk/messaging/") || strings.HasSuffix(imp, "/go-amqp")
			if messaging && !f.test && !strings.HasPrefix(f.pkg, "ingest/eventhub") {
				t.Errorf("%s imports %s: only ingest/eventhub may", f.path, imp)
			}
		}
	}
}

func TestEveryPackageHasOnePackageComment(t *testing.T) {
	comments := map[string][]string{}
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		if _, ok := comments[f.pkg]; !ok {
			comments[f.pkg] = nil
		}
		if f.doc != "" {
			comments[f.pkg] = append(comments[f.pkg], f.path)
		}
	}
	for pkg, files := range comments {
		if len(files) != 1 {
			t.Errorf("package %s has %d package comments, want 1: %v", pkg, len(files), files)
		}
	}
}

func TestTopLevelLayout(t *testing.T) {
	allowed := []string{"cmd", "ingest", "detectors", "alerting", "deploy"}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !slices.Contains(allowed, e.Name()) {
			t.Errorf("top-level folder %s: the layout is %v", e.Name(), allowed)
		}
	}
}
