package main

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadList(t *testing.T) {
	tests := map[string]struct {
		file, content string
		want          []string
		fails         string
	}{
		"one a line, comments, blanks": {file: "l.txt", content: "# labels\r\n\r\n  a  \nb # the second\n\t# none\nhttps://example.org/#c\n", want: []string{"a", "b", "https://example.org/#c"}},
		"no last newline":              {file: "l", content: "a", want: []string{"a"}},
		"a byte order mark":            {file: "l.txt", content: "\ufeffa\n", want: []string{"a"}},
		"YAML":                         {file: "l.yml", content: "# labels\n- a\n- \"b # c\"\n- 0123\n- true\n", want: []string{"a", "b # c", "0123", "true"}},
		"YAML that is no list":         {file: "l.yaml", content: "a: b\n", fails: "l.yaml:1:1: want a list, got a block of keys"},
		"YAML with a list in it":       {file: "l.yml", content: "- a\n- [b]\n", fails: "l.yml:2:3: [1]: want a text, got a list"},
		"YAML with nothing in it":      {file: "l.yml", content: "- a\n-\n", fails: "l.yml:2:2: [1]: want a text, got nothing"},
		"not YAML":                     {file: "l.yml", content: "- a\n- [b\n", fails: "l.yml:"},
		"empty":                        {file: "l.txt", content: "# none yet\n", fails: "l.txt holds no value; add one, or remove the key"},
		"empty YAML":                   {file: "l.yml", content: "[]", fails: "holds no value"},
		"UTF-16":                       {file: "l.txt", content: "\xff\xfea\x00\n\x00", fails: "l.txt is not UTF-8 text"},
		"too large":                    {file: "l.txt", content: strings.Repeat("x\n", maxListFile/2+1), fails: "is larger than 8 MiB"},
		"a folder":                     {file: "", fails: "is not a file; name the file that holds the list"},
		"missing":                      {file: "nowhere.txt", fails: "create the file or correct the path"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), tt.file)
			if tt.content != "" {
				write(t, file, tt.content)
			}
			got, err := readList(file)
			if (err != nil) != (tt.fails != "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
				t.Fatalf("error %v, want %q", err, tt.fails)
			}
			if diff := cmp.Diff(tt.want, got); tt.fails == "" && diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestListsOfConfigurationAndFileAreOne(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "order"), "c\nb\nd\n")
	file := filepath.Join(dir, "phiwatch.yml")
	write(t, file, "lists: {label_order: [a, b], mine: [x, x], phi_sites: [https://example.org/sites/icu, https://example.org/sites/icu/, https://example.org/sites/ward-*]}\nlists_files: {label_order: order}\n")
	cfg, err := loadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	got := cfg.lists()
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, got["label_order"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"x"}, got["mine"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"https://example.org/sites/icu/", "https://example.org/sites/ward-*"}, got["phi_sites"]); diff != "" { // not that of /sites/icu-canteen
		t.Error(diff)
	}
	if l, ok := got["phi_apps"]; !ok || len(l) != 0 {
		t.Errorf("a list that is not set is %v, want an empty one", l)
	}
}

// TestListWatch looks at a file while it changes: each line is a look.
func TestListWatch(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list")
	write(t, file, "a\n")
	cfg := &config{ListsFiles: map[string]string{"phi_labels": file}}
	if err := cfg.readLists(); err != nil {
		t.Fatal(err)
	}
	reloads := 0
	w := &listWatch{log: slog.New(slog.NewTextHandler(t.Output(), nil)), inForce: func() map[string]stamp { return cfg.stamps }}
	w.reload = func() error {
		reloads++
		next := &config{ListsFiles: cfg.ListsFiles}
		err := next.readLists()
		if err == nil {
			cfg = next
		}
		return err
	}
	content := func(s string) func() { return func() { write(t, file, s) } }
	nothing := func() {}
	for i, step := range []struct {
		do   func()
		want int // reloads since the beginning
		what string
	}{
		{nothing, 0, "the first look"},
		{nothing, 0, "nothing changed"},
		{content("a\nb\n"), 0, "it may be half written"},
		{nothing, 1, "it stayed as it is"},
		{nothing, 1, "that is in force"},
		{content("a\nb\nc"), 1, "written …"},
		{content("a\nb\nc\nd\n"), 1, "… and written on"},
		{nothing, 2, "done"},
		{content("\xff"), 2, "damaged"},
		{nothing, 3, "tried and refused"},
		{nothing, 3, "not tried over and over"},
		{content("a\nb\n"), 3, "mended"},
		{nothing, 4, "in force"},
		{func() { _ = os.Remove(file) }, 4, "gone"},
		{nothing, 5, "refused"},
		{nothing, 5, "and left at that"},
		{content("a\n"), 5, "back"},
		{nothing, 6, "in force"},
		{nothing, 6, "and quiet"},
	} {
		step.do()
		w.look()
		if reloads != step.want {
			t.Fatalf("look %d, %s: %d reloads, want %d", i+1, step.what, reloads, step.want)
		}
	}
	if diff := cmp.Diff([]string{"a"}, cfg.lists()["phi_labels"]); diff != "" {
		t.Error(diff)
	}
}

// TestListWatchTellsWhenTheOldFileIsBack reloads after a refused change was
// undone with the old time stamp, so that the metric does not stay at failed.
func TestListWatchTellsWhenTheOldFileIsBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list")
	write(t, file, "a\n")
	inForce := map[string]stamp{file: stampOf(file)}
	var outcomes []error
	w := &listWatch{log: slog.New(slog.DiscardHandler), inForce: func() map[string]stamp { return inForce }}
	w.reload = func() error {
		_, err := readList(file)
		outcomes = append(outcomes, err)
		return err
	}
	old := file + ".old"
	for _, step := range []func(){
		func() {},
		func() { _ = os.Rename(file, old); write(t, file, "# nothing\n") },
		func() {},
		func() { _ = os.Rename(old, file) },
		func() {}, func() {}, func() {},
	} {
		step()
		w.look()
	}
	if len(outcomes) != 2 || outcomes[0] == nil || outcomes[1] != nil {
		t.Errorf("reloads ended in %v, want one refused and one that worked", errors.Join(outcomes...))
	}
}
