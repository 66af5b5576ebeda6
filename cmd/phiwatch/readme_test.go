package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"phiwatch/detectors/rules"
	"phiwatch/ingest/localhub"
)

// document reads a file of the repository's root.
func document(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// block is a fenced block of a document; file is the second word of its fence,
// which names the file that the block shows.
type block struct {
	line       int
	lang, file string
	text       string
}

func blocks(text string) (all []block) {
	for i, line := range strings.Split(text, "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch open := len(all) > 0 && all[len(all)-1].line < 0; {
		case isFence && open:
			all[len(all)-1].line *= -1
		case isFence:
			lang, file, _ := strings.Cut(fence, " ")
			all = append(all, block{line: -(i + 1), lang: lang, file: file}) // negative while open
		case open:
			all[len(all)-1].text += line + "\n"
		}
	}
	return all
}

// session is a command of a document and what it is shown to print: lines in
// which … stands for anything. Other lines may be printed between them.
type session struct {
	line    int
	command string
	want    []string
}

func (b block) sessions() (all []session) {
	for line := range strings.Lines(b.text) {
		line = strings.TrimSuffix(line, "\n")
		command, prompted := strings.CutPrefix(line, "$ ")
		switch {
		case prompted || b.lang == "sh" && line != "":
			all = append(all, session{line: b.line, command: command})
		case b.lang == "console" && len(all) > 0:
			s := &all[len(all)-1]
			s.want = append(s.want, line)
		}
	}
	return all
}

// TestReadme runs every command of the README on the files that it shows.
func TestReadme(t *testing.T) {
	t.Parallel()
	text := document(t, "README.md")
	dir, config := t.TempDir(), ""
	for _, b := range blocks(text) {
		if b.file == "" {
			continue
		}
		content := b.text
		if b.lang == "yaml" {
			config = content
			dir = filepath.Dir(writeConfig(t, content))
		}
		if err := os.WriteFile(filepath.Join(dir, b.file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ran := 0
	for _, b := range blocks(text) {
		if b.lang != "sh" && b.lang != "console" {
			continue
		}
		for _, s := range b.sessions() {
			ran++
			t.Run(fmt.Sprintf("line %d %s", s.line, s.command), func(t *testing.T) {
				t.Parallel()
				s.run(t, dir, config)
			})
		}
	}
	if ran < 5 {
		t.Errorf("only %d commands found", ran)
	}
}

func (s session) run(t *testing.T, dir, config string) {
	own := strings.Replace(s.command, "go run ./cmd/phiwatch ", "phiwatch ", 1)
	switch {
	case s.command == "go test ./...":
		checkTestCommand(t, s.command)
	case strings.HasPrefix(own, "phiwatch run "):
		runsUntilStopped(t, own, config)
	default:
		cmd := exec.CommandContext(t.Context(), "sh", "-c", own)
		cmd.Dir = dir
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s%s", err, out, errs.String())
		}
		s.compare(t, string(out))
	}
}

// compare looks for the lines that the document shows, in their order.
func (s session) compare(t *testing.T, out string) {
	t.Helper()
	lines := strings.Split(out, "\n")
	for _, want := range s.want {
		var parts []string
		for part := range strings.SplitSeq(want, "…") {
			parts = append(parts, regexp.QuoteMeta(part))
		}
		re := regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
		i := slices.IndexFunc(lines, re.MatchString)
		if i < 0 {
			t.Fatalf("this line is not printed, or not after the one before it:\n%s\nprinted:\n%s", want, out)
		}
		lines = lines[i+1:]
	}
}

// checkTestCommand: a test cannot run the command that runs it, but CI does.
func checkTestCommand(t *testing.T, command string) {
	t.Helper()
	ci := strings.Split(strings.TrimSpace(document(t, ".ci/run")), "\n")
	if last := ci[len(ci)-1]; last != command {
		t.Errorf(".ci/run ends in %q, not in %q", last, command)
	}
}

// runsUntilStopped runs the daemon on the configuration shown, with a hub on
// loopback in place of the one in Azure, until it is ready, and stops it.
func runsUntilStopped(t *testing.T, command, config string) {
	group := regexp.MustCompile(`consumer_group: (\S+)`).FindStringSubmatch(config)
	azure := regexp.MustCompile(`(?s)namespace: .*?credential: [^\n]*`)
	if group == nil || !azure.MatchString(config) {
		t.Fatal("the configuration shown has no hub with namespace, consumer group and credential")
	}
	web := freeAddress(t)
	config = azure.ReplaceAllString(config, "connection_string_file: secrets/hub\n      consumer_group: "+group[1])
	file := writeConfig(t, config+"web: {listen: '"+web+"'}\n")
	connection := emptyHub(t, group[1])
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "secrets", "hub"), []byte(connection), 0o600); err != nil {
		t.Fatal(err)
	}

	words := strings.Fields(command)
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = filepath.Dir(file), t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	await(ctx, t, "ready", func() bool { return get(web, "/-/ready", nil) == http.StatusOK })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("stopped by SIGTERM: %v", err)
	}
}

// emptyHub serves a hub with a consumer group and returns its connection string.
func emptyHub(t *testing.T, group string) string {
	t.Helper()
	hub, err := localhub.New(localhub.Config{Hubs: []localhub.HubConfig{{Name: "audit", Partitions: 2, ConsumerGroups: []string{group}}}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = hub.Serve(ctx, l)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return hub.ConnectionString(l.Addr().String(), "audit")
}

// TestReadmeSnippets loads every configuration, checks every rule and parses
// every record that the README shows.
func TestReadmeSnippets(t *testing.T) {
	for _, b := range blocks(document(t, "README.md")) {
		switch b.lang {
		case "yaml":
			if _, err := loadConfig(writeConfig(t, b.text)); err != nil {
				t.Errorf("README.md:%d: %v", b.line, err)
			}
		case "yml": // a rule
			name := filepath.Join(t.TempDir(), b.file)
			write(t, name, b.text)
			if code, out, _ := run(t, "", "rules", "check", "--strict", name); code != exitOK {
				t.Errorf("README.md:%d: %s", b.line, out)
			}
		case "json":
			for line := range strings.Lines(b.text) {
				if !json.Valid([]byte(line)) {
					t.Errorf("README.md:%d: not JSON: %.60s…", b.line, line)
				}
			}
		case "sh", "console", "azurecli":
		default:
			t.Errorf("README.md:%d: nothing checks blocks of language %q", b.line, b.lang)
		}
	}
}

// section returns the text below a heading of the second level.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, after, ok := strings.Cut(text, "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("no section %q", heading)
	}
	body, _, _ := strings.Cut(after, "\n## ")
	return body
}

var inCode = regexp.MustCompile("`([^`\n]+)`")

func TestReadmeNamesEntriesOfTheCatalog(t *testing.T) {
	set, err := defaultConfig().loadRules()
	if err != nil {
		t.Fatal(err)
	}
	entries := set.Entries()
	body := section(t, document(t, "README.md"), "What it catches")
	incidents, _, _ := strings.Cut(body, "\n\n`phiwatch")
	for _, item := range strings.Split(incidents, "\n- ")[1:] {
		names := inCode.FindAllStringSubmatch(item, -1)
		if len(names) == 0 {
			t.Errorf("names no entry: %.40s…", item)
		}
		for _, m := range names {
			if !slices.Contains(entries, m[1]) {
				t.Errorf("there is no entry %s", m[1])
			}
		}
	}
}

// TestReadmeListsTheCommands compares the table with the command line.
func TestReadmeListsTheCommands(t *testing.T) {
	var want []string
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, above string) {
		leaf := true
		for f := range typ.Fields() {
			if _, isCommand := f.Tag.Lookup("cmd"); isCommand {
				leaf = false
				walk(f.Type, above+" "+strings.ToLower(f.Name))
			}
		}
		if leaf {
			want = append(want, above)
		}
	}
	walk(reflect.TypeFor[cli](), "phiwatch")
	var got []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(phiwatch [^`]+)` \\|").FindAllStringSubmatch(document(t, "README.md"), -1) {
		got = append(got, m[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the table has %q, the command line %q", got, want)
	}
}

// checkReadmeMonitoring holds the metrics and endpoints of the README to a daemon.
func checkReadmeMonitoring(t *testing.T, known map[string]family, web string) {
	text := document(t, "README.md")
	for _, m := range regexp.MustCompile("`(phiwatch_\\w+)`").FindAllStringSubmatch(text, -1) {
		_, plain := known[m[1]]
		_, histogram := known[m[1]+"_bucket"]
		if !plain && !histogram {
			t.Errorf("there is no metric %s", m[1])
		}
	}
	endpoints := regexp.MustCompile("(?m)^\\| `(GET|POST) (/[^`]*)` \\|").FindAllStringSubmatch(text, -1)
	if len(endpoints) < 9 {
		t.Errorf("only %d endpoints found", len(endpoints))
	}
	for _, m := range endpoints {
		method, path := m[1], strings.ReplaceAll(m[2], "{id}", "unknown")
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+web+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		// Without a body and with an unknown id the API refuses, but knows what is meant.
		allowed := []int{http.StatusOK}
		if path != m[2] {
			allowed = []int{http.StatusNotFound, http.StatusUnsupportedMediaType}
		}
		if !slices.Contains(allowed, resp.StatusCode) {
			t.Errorf("%s %s answers %s", method, path, resp.Status)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#]+)\)`)

func TestDocumentsLinkToWhatExists(t *testing.T) {
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md"} {
		for _, m := range link.FindAllStringSubmatch(document(t, name), -1) {
			if strings.HasPrefix(m[1], "https://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			}
		}
	}
}

// TestContributingShowsARealRule holds the rule in CONTRIBUTING.md to the
// catalog: it is one that loads, with events that prove it.
func TestContributingShowsARealRule(t *testing.T) {
	for _, b := range blocks(document(t, "CONTRIBUTING.md")) {
		if b.file == "" {
			continue
		}
		data, err := rules.FS.ReadFile(b.file)
		if err != nil {
			t.Errorf("CONTRIBUTING.md:%d: %v", b.line, err)
			continue
		}
		file := string(data)
		for part := range strings.SplitSeq(b.text, "…\n") {
			if _, after, found := strings.Cut(file, part); found {
				file = after
				continue
			}
			t.Errorf("CONTRIBUTING.md:%d: %s does not have, or not there:\n%s", b.line, b.file, part)
		}
	}
}
