// Command phiwatch watches the safeguards of an organisation under HIPAA: it
// reads audit events from Azure Event Hubs and tells people within a second
// when a safeguard is weakened. This package holds flags, configuration,
// wiring and the order of start and stop; one file per subcommand.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes. A script can tell a wrong configuration from a failure.
const (
	exitOK     = 0
	exitFailed = 1 // something went wrong while running
	exitUsage  = 2 // flags, configuration or rules are wrong
)

// cli is the command line.
type cli struct {
	LogLevel  string `name:"log.level" enum:"debug,info,warn,error" default:"info" help:"Least severe level to log: ${enum}."`
	LogFormat string `name:"log.format" enum:"text,json" default:"text" help:"Log format: ${enum}."`

	ShowVersion versionFlag `name:"version" hidden:"" help:"Print the version."`

	Run      runCmd      `cmd:"" help:"Run the daemon."`
	Demo     demoCmd     `cmd:"" help:"Run the daemon on an embedded hub and play a made-up hospital's day."`
	Replay   replayCmd   `cmd:"" help:"Run the pipeline over files and print what it finds; nothing is delivered."`
	Check    checkCmd    `cmd:"" help:"Check a configuration."`
	Rules    rulesCmd    `cmd:"" help:"Look at rules."`
	Coverage coverageCmd `cmd:"" help:"Show which safeguards are watched, what each needs, and what to switch on."`
	Hub      hubCmd      `cmd:"" help:"Run the embedded, Event Hubs-compatible hub on its own."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// env is what a subcommand runs in.
type env struct {
	ctx    context.Context
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	log    *slog.Logger
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // who asks twice does not want to wait: what is not stored is done again
	code := execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// usageError is an error in what the user wrote: it exits with exitUsage.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("phiwatch"),
		kong.Description("Sees when a HIPAA safeguard in Microsoft 365 or Azure is weakened, and tells people until it is restored."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.UsageOnError(),
	)
	if err != nil {
		fmt.Fprintln(stderr, "phiwatch:", err) // a mistake in the struct above
		return exitFailed
	}
	if len(args) > 0 && args[0] == "help" { // as other tools have it
		args = append(slices.Clone(args[1:]), "--help")
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help, --version
		return exited
	}
	if err != nil {
		fmt.Fprintln(stderr, "phiwatch:", err)
		fmt.Fprintln(stderr, "Run phiwatch --help for the commands and flags.")
		return exitUsage
	}
	e := &env{ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr, log: newLogger(stderr, c.LogLevel, c.LogFormat)}
	return report(stderr, parsed.Run(e))
}

// report prints err, one line per joined error, and returns the exit code.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(stderr, "phiwatch:", err)
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFailed
}

// newLogger logs to w; the level and the format are checked by the parser.
func newLogger(w io.Writer, level, format string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	opts := &slog.HandlerOptions{Level: l}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
