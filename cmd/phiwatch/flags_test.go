package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestHabitsOfOtherTools types what people type who know other tools, and flags
// that mean nothing.
func TestHabitsOfOtherTools(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	write(t, empty, "\n")
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"--version", exitOK, "phiwatch " + version},
		{"run --version", exitOK, "phiwatch " + version},
		{"help", exitOK, "Usage: phiwatch <command>"},
		{"help run", exitOK, "Configuration file; default phiwatch.yml."},
		{"check nowhere.yml", exitUsage, "open nowhere.yml: no such file or directory"},
		{"demo --web.listen=0.0.0.0:9746", exitUsage, "--web.listen 0.0.0.0:9746: the demo serves plain HTTP to whoever reaches it: listen on a loopback address"},
		{"demo --web.listen=9746", exitUsage, `--web.listen "9746": use host:port`},
		{"demo --once --records=-1", exitUsage, "not below zero"},
		{"hub --partitions=0", exitUsage, "--partitions and --retention-bytes: give numbers above zero"},
		{"hub --retention-bytes=0", exitUsage, "--partitions and --retention-bytes: give numbers above zero"},
		{"hub --key-file=" + empty, exitUsage, "is empty; write a key into it, or leave --key-file out"},
		{"rules test " + t.TempDir(), exitUsage, "no rule in "},
	} {
		code, out, errs := run(t, "", strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("phiwatch %s: exit code %d, output:\n%s%s", c.args, code, out, errs)
		}
	}
}

func TestWhatToDoAboutAConfigurationThatCannotBeRead(t *testing.T) {
	if got := readRemedy(&fs.PathError{Err: fs.ErrPermission}); got != "let the user phiwatch runs as read it" {
		t.Errorf("got %s", got)
	}
	if got := readRemedy(errors.New("is a directory")); got != "name an existing file with --config.file" {
		t.Errorf("got %s", got)
	}
}
