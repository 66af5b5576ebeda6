package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/alecthomas/kong"
	"github.com/prometheus/client_golang/prometheus"
)

// version and commit are set by the release build, as deploy/Dockerfile does:
// -ldflags "-X main.version=1.2.3 -X main.commit=…".
var version, commit = "0.1.0-dev", ""

// versionCmd prints the version.
type versionCmd struct{}

// Run implements the command.
func (versionCmd) Run(e *env) error {
	printVersion(e.stdout)
	return nil
}

// versionFlag is the command as a flag, as other tools have it.
type versionFlag bool

// BeforeReset is what kong calls before it looks for a command.
func (versionFlag) BeforeReset(app *kong.Kong) error {
	printVersion(app.Stdout)
	app.Exit(exitOK)
	return nil
}

func printVersion(w io.Writer) {
	fmt.Fprintf(w, "phiwatch %s (revision %s, %s, %s/%s)\n", version, revision(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// revision is the commit the binary was built from, when the build knew it.
func revision() string {
	if commit != "" {
		return commit
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown"
}

// registerBuildInfo adds the usual phiwatch_build_info gauge.
func registerBuildInfo(reg prometheus.Registerer) {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "phiwatch_build_info",
		Help: "Always 1; the labels say which build runs.",
	}, []string{"version", "revision", "goversion"})
	g.WithLabelValues(version, revision(), runtime.Version()).Set(1)
	reg.MustRegister(g)
}
