package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/detectors"
)

// The README's coverage section stands between these lines.
const (
	coverageBegins = "<!-- coverage: phiwatch coverage --output=markdown -->\n"
	coverageEnds   = "<!-- end of coverage -->\n"
)

// TestReadmeShowsTheCoverage keeps the tables of the README current; -update
// rewrites them.
func TestReadmeShowsTheCoverage(t *testing.T) {
	text := document(t, "README.md")
	before, rest, begins := strings.Cut(text, coverageBegins)
	got, after, ends := strings.Cut(rest, coverageEnds)
	if !begins || !ends {
		t.Fatalf("README.md lacks the lines %q and %q", coverageBegins, coverageEnds)
	}
	code, want, _ := run(t, "", "coverage", "--output=markdown")
	if code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	want = "\n" + want + "\n"
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("README.md is not what phiwatch coverage prints; go test ./cmd/phiwatch -run %s -update rewrites it\n%s", t.Name(), cmp.Diff(got, want))
	}
	if err := os.WriteFile(filepath.Join(root, "README.md"), []byte(before+coverageBegins+want+coverageEnds+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// coverageOf runs phiwatch coverage --output=json.
func coverageOf(t *testing.T, args ...string) *coverage {
	t.Helper()
	code, out, _ := run(t, "", append([]string{"coverage", "--output=json"}, args...)...)
	if code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	c := new(coverage)
	if err := json.Unmarshal([]byte(out), c); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *coverage) row(code string) *coveredSafeguard {
	i := slices.IndexFunc(c.Safeguards, func(s coveredSafeguard) bool { return s.Code == code })
	if i < 0 {
		return &coveredSafeguard{}
	}
	return &c.Safeguards[i]
}

// TestEverySafeguardIsCovered is what the catalog is for: by itself, and with
// the lists of the example configuration without any reservation.
func TestEverySafeguardIsCovered(t *testing.T) {
	for name, c := range map[string]*coverage{
		"the catalog": coverageOf(t),
		"the example": coverageOf(t, "--config.file", writeConfig(t, deployed(t, "phiwatch.yml"))),
	} {
		if len(c.Safeguards) != 23 {
			t.Errorf("%s: %d safeguards, want the 23 of the seed", name, len(c.Safeguards))
		}
		for _, s := range c.Safeguards {
			if s.Covered != covered || name == "the example" && len(s.Missing) > 0 {
				t.Errorf("%s: %s is covered: %s, %v", name, s.Code, s.Covered, s.Missing)
			}
		}
	}
}

// metricsServer answers like a daemon that has seen these events.
func metricsServer(t *testing.T, page string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metrics" {
			http.NotFound(w, r)
			return
		}
		if name, password, ok := r.BasicAuth(); strings.HasPrefix(page, "locked") && (!ok || name != "soc" || password != "made-up") {
			http.Error(w, "who?", http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(strings.TrimPrefix(page, "locked\n")))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

const seenPage = `# HELP phiwatch_events_total Records decoded, by kind.
# TYPE phiwatch_events_total counter
phiwatch_events_total{kind="azure-activity"} 0
phiwatch_events_total{kind="entra-audit"} 1.2e+06
phiwatch_events_total{kind="entra-signin"} 7
phiwatch_events_total{kind="m365-audit"} 0
process_start_time_seconds 1.78940880025e+09
phiwatch_stream_last_event_timestamp_seconds{kind="azure-activity"} 1.7894052e+09
phiwatch_stream_last_event_timestamp_seconds{kind="entra-audit"} 1.7894124e+09
phiwatch_stream_last_event_timestamp_seconds{kind="m365-audit"} 0
`

// smallCatalog has a few rules on a few log sources; a catalog that grows does
// not change what they come to.
func smallCatalog(t *testing.T, lists map[string][]string, p detectors.Pack) *detectors.Set {
	t.Helper()
	files := fstest.MapFS{}
	add := func(entry, codes, service, field string) {
		files["g/"+entry+".yml"] = &fstest.MapFile{Data: fmt.Appendf(nil, `
title: %[1]s
logsource: {product: azure, service: %[3]s}
detection: {selection: {%[4]s}, condition: selection}
safeguard: {entry: %[1]s, codes: [%[2]s], subject: properties.id}
`, entry, codes, service, field)}
	}
	add("audit-a", "APPROXY, AUTHN", "auditlogs", "operationName: a")
	add("audit-b", "AUTHN", "auditlogs", "operationName: b")
	add("activity", "ER", "activitylogs", "operationName: c")
	add("vpn", "VPN", "activitylogs", "operationName: d")
	add("signin", "CA-APPS, RBAC", "signinlogs", "properties.appId|expand: '%phi_apps%'")
	add("emergency", "RBAC", "auditlogs", "properties.id|expand: '%emergency_accounts%'")
	set, err := detectors.Load((&config{Lists: lists}).lists(), detectors.Source{FS: files})
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Tune(p, clockRules()...); err != nil {
		t.Fatal(err)
	}
	return set
}

// Whoever reads that a safeguard needs a source is told where to switch it on.
func TestEverySourceNeededIsListed(t *testing.T) {
	c := coverageOf(t)
	listed := map[string]bool{}
	for _, s := range c.Sources {
		listed[s.Kind] = s.Setting != "" && len(s.Categories) > 0
	}
	for _, s := range c.Safeguards {
		for _, kind := range s.Sources {
			if !listed[kind] {
				t.Errorf("%s needs %s, of which nothing says where to switch it on", s.Code, kind)
			}
		}
	}
}

func TestCoverageJudges(t *testing.T) {
	events := func(kinds ...string) *seenEvents {
		seen := &seenEvents{Events: map[string]int64{}}
		for _, k := range kinds {
			seen.Events[k] = 1
		}
		return seen
	}
	before := events("entra-audit")
	before.Last = map[string]time.Time{"azure-activity": time.Unix(1, 0)}
	none := map[string][]string{}
	apps := map[string][]string{"phi_apps": {"x"}}
	tests := map[string]struct {
		lists map[string][]string // nil: of the catalog itself
		pack  detectors.Pack
		seen  *seenEvents
		code  string
		want  extent
		why   string
	}{
		"all in force":                     {none, detectors.Pack{}, nil, "AUTHN", covered, ""},
		"no rule":                          {none, detectors.Pack{}, nil, "TDE", uncovered, "no rule"},
		"one disabled":                     {none, detectors.Pack{Disable: []string{"entry:audit-b"}}, nil, "AUTHN", partly, "1 of 2 disabled"},
		"all disabled":                     {none, detectors.Pack{Disable: []string{"safeguard:VPN"}}, nil, "VPN", uncovered, "1 of 1 disabled"},
		"a list unset":                     {none, detectors.Pack{}, nil, "CA-APPS", uncovered, "1 of 1 blind without phi_apps"},
		"one list of two unset":            {apps, detectors.Pack{}, nil, "RBAC", partly, "1 of 2 blind without emergency_accounts"},
		"a list set":                       {apps, detectors.Pack{}, nil, "CA-APPS", covered, ""},
		"nobody could have set it":         {nil, detectors.Pack{}, nil, "RBAC", covered, "2 of 2 only with emergency_accounts, phi_apps"},
		"its events are seen":              {none, detectors.Pack{}, events("entra-audit"), "AUTHN", covered, ""},
		"its events are not":               {none, detectors.Pack{}, events("entra-audit"), "ER", uncovered, "no azure-activity event seen"},
		"its events came before a restart": {none, detectors.Pack{}, before, "ER", covered, ""},
		"one of its two kinds is":          {apps, detectors.Pack{}, events("entra-signin"), "CA-APPS", partly, "no entra-noninteractive-signin event seen"},
		"what is disabled needs no events": {none, detectors.Pack{Disable: []string{"entry:vpn"}}, events(), "VPN", uncovered, "1 of 1 disabled"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newCoverage(smallCatalog(t, tt.lists, tt.pack), tt.lists, tt.seen).row(tt.code)
			if why := strings.Join(s.Missing, "; "); s.Covered != tt.want || why != tt.why {
				t.Errorf("covered: %s, %q; want %s, %q", s.Covered, why, tt.want, tt.why)
			}
		})
	}
}

func TestCoverageCountsTheEventsSeen(t *testing.T) {
	c := coverageOf(t, "--url", metricsServer(t, seenPage)+"/")
	if want := time.Date(2026, 9, 14, 18, 0, 0, 0, time.UTC); !c.Checked.Since.Equal(want) {
		t.Errorf("seen since %s, want %s", c.Checked.Since, want)
	}
	for _, s := range c.Sources {
		if want := map[string]int64{"entra-audit": 1_200_000, "entra-signin": 7}[s.Kind]; s.Seen == nil || *s.Seen != want {
			t.Errorf("%s: seen %v, want %d", s.Kind, s.Seen, want)
		}
		if last := map[string]string{"azure-activity": "17:00", "entra-audit": "19:00"}[s.Kind]; last == "" && s.Last != nil || last != "" && (s.Last == nil || s.Last.Format("15:04") != last) {
			t.Errorf("%s: the newest is of %v, want %q", s.Kind, s.Last, last)
		}
		if want := s.Kind == "m365-audit"; s.Seen != nil && slices.Contains([]string{"m365-audit", "azure-activity"}, s.Kind) && s.unseen() != want {
			t.Errorf("%s: unseen is %v: what came before the start was seen", s.Kind, s.unseen())
		}
	}
}

func TestCoverageSaysWhyItCannotAsk(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	write(t, password, "made-up\n")
	locked := metricsServer(t, "locked\n"+seenPage)
	tests := map[string]struct {
		args []string
		code int
		want string
	}{
		"plain HTTP to elsewhere": {[]string{"--url", "http://phiwatch.example.org:9746"}, exitUsage, "use https"},
		"no URL":                  {[]string{"--url", "127.0.0.1:9746"}, exitUsage, "--url: "},
		"nobody there":            {[]string{"--url", "http://" + freeAddress(t)}, exitFailed, "is it running, and is --url its web.listen?"},
		"something else":          {[]string{"--url", metricsServer(t, "go_goroutines 1\n")}, exitFailed, "is --url a phiwatch?"},
		"another page":            {[]string{"--url", metricsServer(t, seenPage) + "/api"}, exitFailed, "/metrics answered 404"},
		"locked":                  {[]string{"--url", locked}, exitFailed, "give --url.user and --url.password-file"},
		"no password":             {[]string{"--url", locked, "--url.user=soc", "--url.password-file=nowhere"}, exitUsage, "--url.password-file: open nowhere"},
		"half a login":            {[]string{"--url", locked, "--url.user=soc"}, exitUsage, "give both, or neither"},
		"another's password":      {[]string{"--url", locked, "--url.user=ann", "--url.password-file=" + password}, exitFailed, "it refuses this user or password"},
		"unlocked":                {[]string{"--url", locked, "--url.user=soc", "--url.password-file=" + password}, exitOK, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			code, _, errs := run(t, "", append([]string{"coverage"}, tt.args...)...)
			if code != tt.code || !strings.Contains(errs, tt.want) {
				t.Errorf("exit code %d, want %d; said %q, want %q", code, tt.code, errs, tt.want)
			}
		})
	}
}

// TestCoverageOfARunningDaemon asks a real one: what it has decoded is seen.
func TestCoverageOfARunningDaemon(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	web := freeAddress(t)
	hit := scenario(t, "authentication/ca-policy-disabled.yml").Body("hit")
	file := newFakes(t).configFile(t, web, localHub(t, [][]byte{hit}))
	d, err := newDaemon(ctx, func() (*config, error) { return loadConfig(file) }, slog.New(slog.NewTextHandler(t.Output(), nil)), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- d.run(running) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	await(ctx, t, "the event", func() bool {
		return get(web, "/-/healthy", nil) == http.StatusOK && strings.Contains(page(t, web, "/metrics"), "\nphiwatch_events_total{kind=\"entra-audit\"} 1\n")
	})
	c := coverageOf(t, "--config.file", file, "--url", "http://"+web)
	if s := c.row("MFA"); s.Covered != partly {
		t.Errorf("MFA is covered: %s, %v; want partly: no event of a sign-in has been seen", s.Covered, s.Missing)
	}
	if s := c.row("TDE"); s.Covered != uncovered {
		t.Errorf("TDE is covered: %s, though no event of Azure has been seen", s.Covered)
	}
	if since := time.Since(c.Checked.Since); since < 0 || since > time.Hour {
		t.Errorf("seen since %s", c.Checked.Since)
	}
}
