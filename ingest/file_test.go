package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write makes files under a new directory.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// delivered runs a source and lists its messages as "file:sequence body".
func delivered(t *testing.T, f *Files) (out []string, err error) {
	t.Helper()
	err = f.Run(t.Context(), func(_ context.Context, b Batch) error {
		if b.Hub != "file" || b.Owner != "" || b.Behind != -1 {
			t.Errorf("batch of %+v, owner %q, behind %d", b.Partition, b.Owner, b.Behind)
		}
		for _, m := range b.Messages {
			if m.Partition != b.Partition {
				t.Errorf("message of %v in a batch of %v", m.Partition, b.Partition)
			}
			out = append(out, fmt.Sprintf("%s:%d %.40s", filepath.Base(b.ID), m.Sequence, m.Body))
		}
		return nil
	})
	return out, err
}

func TestFilesAreReadInOrder(t *testing.T) {
	dir := write(t, map[string]string{
		"b/2.jsonl":    "{\"n\":1}\n\n  \r\n{\"n\":2}\r\n{\"n\":3}",
		"b/1.ndjson":   "{\"n\":0}\n",
		"a.json":       "{\n \"n\": 9\n}\n",
		"c.raw":        "{'n':1}",
		"d.jsonl.gz":   zipped(t, "{\"n\":1}\n{\"n\":2}\n"),
		"e.json.gz":    zipped(t, "{}"),
		"README.md":    "no payload",
		"table.tsv":    "no payload",
		"extra/x.text": "explicit",
	})
	extra := filepath.Join(dir, "extra", "x.text")
	f, err := NewFiles([]string{extra, "-", dir}, strings.NewReader("{\"n\":1}\n{\"n\":2}"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := delivered(t, f)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"x.text:1 explicit", `-:1 {"n":1}`, `-:2 {"n":2}`, "a.json:1 {\n \"n\": 9\n}\n", `1.ndjson:1 {"n":0}`,
		`2.jsonl:1 {"n":1}`, `2.jsonl:4 {"n":2}`, `2.jsonl:5 {"n":3}`, "c.raw:1 {'n':1}", `d.jsonl.gz:1 {"n":1}`, `d.jsonl.gz:2 {"n":2}`,
		fmt.Sprintf("e.json.gz:1 %.40s", zipped(t, "{}")),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	passed := []string{filepath.Join(dir, "README.md"), extra, filepath.Join(dir, "table.tsv")}
	if diff := cmp.Diff(passed, f.Passed()); diff != "" {
		t.Errorf("passed over: -want +got\n%s", diff)
	}
}

func TestLongLinesAreCutAndTold(t *testing.T) {
	dir := write(t, map[string]string{"x.jsonl": `{"a":"` + strings.Repeat("x", 2*MaxBody) + "\"}\n{\"n\":2}\n"})
	f, err := NewFiles([]string{dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	d := NewDecoder()
	err = f.Run(t.Context(), func(_ context.Context, b Batch) error {
		for _, m := range b.Messages {
			d.Decode(m, func(e *Event) { got = append(got, string(e.Doc.Raw())) }, func(q Quarantined) {
				got = append(got, fmt.Sprint(q.Position.Sequence, q.Reason, len(q.Bytes)))
			})
		}
		return nil
	})
	if diff := cmp.Diff([]string{fmt.Sprint(1, TooLarge, MaxBody+1), `{"n":2}`}, got); diff != "" || err != nil {
		t.Errorf("%v -want +got\n%s", err, diff)
	}
}

func TestFilesThatCannotBeReadAreErrors(t *testing.T) {
	dir := write(t, map[string]string{"a.jsonl.gz": zipped(t, strings.Repeat("{\"n\":1}\n", 99))[:30], "b.jsonl.gz": "text"})
	if _, err := NewFiles([]string{filepath.Join(dir, "none")}, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := NewFiles([]string{"-", "-"}, nil); err == nil {
		t.Error("standard input twice is no error")
	}
	for _, name := range []string{"a.jsonl.gz", "b.jsonl.gz"} {
		f, err := NewFiles([]string{filepath.Join(dir, name)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := delivered(t, f); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFilesEndWithHandlesError(t *testing.T) {
	dir := write(t, map[string]string{"a.json": "{}", "b.json": "{}"})
	f, err := NewFiles([]string{dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	calls := 0
	err = f.Run(t.Context(), func(context.Context, Batch) error { calls++; return refused })
	if !errors.Is(err, refused) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls = 0
	if err := f.Run(ctx, func(context.Context, Batch) error { calls++; cancel(); return nil }); err != nil || calls != 1 {
		t.Errorf("cancelled: %v after %d calls", err, calls)
	}
}
