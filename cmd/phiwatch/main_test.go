package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(execSelf{m}, map[string]func(){"phiwatch": main})
}

// execSelf lets tests run this binary as phiwatch: see command.
type execSelf struct{ m *testing.M }

// asCommand, when set, makes the test binary behave as phiwatch.
const asCommand = "PHIWATCH_TEST_AS_COMMAND"

// Run implements testscript.TestingM.
func (e execSelf) Run() int {
	if os.Getenv(asCommand) != "" {
		main() // exits
	}
	return e.m.Run()
}

// process is phiwatch in a process of its own.
type process struct {
	*exec.Cmd
	out    io.Closer
	stdout *bufio.Reader

	wait sync.Once
	err  error // of Wait
}

// Wait is Cmd.Wait for any number of callers.
func (p *process) Wait() error {
	p.wait.Do(func() { p.err = p.Cmd.Wait() })
	return p.err
}

// command starts phiwatch with the given arguments; what it logs goes to the test's output.
func command(t *testing.T, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: cmd, out: out, stdout: bufio.NewReader(out)}
	t.Cleanup(func() {
		_ = p.Process.Kill()
		_ = p.Wait()
	})
	return p
}

// line returns the next line of standard output.
func (p *process) line(t *testing.T) string {
	t.Helper()
	s, err := p.stdout.ReadString('\n')
	if err != nil {
		t.Fatalf("read output of %v: %v", p.Args, err)
	}
	return strings.TrimSpace(s)
}

// run executes phiwatch in this process and returns its output.
func run(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = execute(context.WithoutCancel(t.Context()), args, strings.NewReader(stdin), &out, io.MultiWriter(&errs, t.Output()))
	return code, out.String(), errs.String()
}
