package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"phiwatch/alerting/pagerduty"
	"phiwatch/alerting/slack"
	"phiwatch/detectors/rules"
	"phiwatch/detectors/strict"
	"phiwatch/ingest/eventhub"
)

// deployed reads a file of the folder deploy.
func deployed(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// namedFile is a value that names a file beside the configuration.
var namedFile = regexp.MustCompile(`(?m)^[^#\n]*?\b(\w+)_file: ([^\s,}]+)`)

// writeConfig writes a configuration to a new folder, with made-up files in
// place of the secrets and rule folders it names, and returns its name.
func writeConfig(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	made := map[string]string{
		"token":       "xoxb-made-up-for-a-test",
		"webhook_url": "https://hooks.example.org/services/T0/B0/made-up",
		"routing_key": strings.Repeat("0123456789abcdef", 2),

		"connection_string": "Endpoint=sb://example.servicebus.windows.net/;SharedAccessKeyName=listen;SharedAccessKey=bWFkZSB1cA==",
	}
	if strings.Contains(text, "certificate_file: ") {
		made["certificate"] = clientCertificate(t)
	}
	for _, m := range namedFile.FindAllStringSubmatch(text, -1) {
		content := made[m[1]]
		if content == "" {
			content = "made up"
		}
		name := filepath.Join(dir, filepath.FromSlash(m[2]))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "rules"), 0o700); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "phiwatch.yml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// clientCertificate returns a self-signed certificate and its key as PEM.
func clientCertificate(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})) +
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestExampleConfigIsValid(t *testing.T) {
	t.Setenv("PHIWATCH_M365_HUB", "Endpoint=sb://example.servicebus.windows.net/;SharedAccessKeyName=listen;SharedAccessKey=bWFkZSB1cA==")
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", "made-up") // as a pod has it
	code, out, errs := run(t, "", "check", "config", writeConfig(t, deployed(t, "phiwatch.yml")))
	if code != exitOK || strings.Contains(out, "warning: ") {
		t.Errorf("exit code %d, output:\n%s%s", code, out, errs)
	}
}

// off finds settings that are commented out: "#key: value", unlike "# Prose".
var off = regexp.MustCompile(`(?m)^( *)#([a-z_]+: )`)

// TestExampleConfigShowsEveryKey turns on all that is off, which must still be
// keys and types that exist, and looks for the keys that are missing.
func TestExampleConfigShowsEveryKey(t *testing.T) {
	text := off.ReplaceAllString(deployed(t, "phiwatch.yml"), "$1$2")
	f, err := parseYAML("phiwatch.yml", []byte(text), defaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	shownKeys(f.root, reflect.TypeFor[config](), shown)
	for _, key := range allKeys(reflect.TypeFor[config](), map[reflect.Type]bool{}) {
		if !shown[key] {
			t.Errorf("deploy/phiwatch.yml does not show %s", key)
		}
	}
}

// allKeys lists the keys of the structs that a configuration is made of, as "Type.key".
func allKeys(typ reflect.Type, seen map[reflect.Type]bool) (keys []string) {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || seen[typ] {
		return nil
	}
	seen[typ] = true
	for key, field := range strict.Keys(typ) {
		keys = append(append(keys, typ.Name()+"."+key), allKeys(field, seen)...)
	}
	return keys
}

// shownKeys notes which of them a document has.
func shownKeys(n *yaml.Node, typ reflect.Type, shown map[string]bool) {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case n.Kind == yaml.SequenceNode && typ.Kind() == reflect.Slice:
		for _, item := range n.Content {
			shownKeys(item, typ.Elem(), shown)
		}
	case n.Kind == yaml.MappingNode && typ.Kind() == reflect.Struct:
		fields := strict.Keys(typ)
		for i := 0; i+1 < len(n.Content); i += 2 {
			shown[typ.Name()+"."+n.Content[i].Value] = true
			shownKeys(n.Content[i+1], fields[n.Content[i].Value], shown)
		}
	}
}

func TestExampleConfigNamesTheDefaults(t *testing.T) {
	text := strings.Join(strings.Fields(strings.ReplaceAll(deployed(t, "phiwatch.yml"), "# ", "")), " ")
	d := defaultConfig()
	for _, value := range []string{
		d.State, d.Web.Listen, fmt.Sprint(eventhub.DefaultPrefetchBytes), slack.DefaultAPIURL, pagerduty.DefaultURL,
		fmt.Sprintf("%dd and %d", d.Quarantine.MaxAge/day24, d.Quarantine.MaxBytes), fmt.Sprintf("%dd", d.Evidence.Retention/day24),
	} {
		if !regexp.MustCompile(`Defaults? ` + regexp.QuoteMeta(value)).MatchString(text) {
			t.Errorf("deploy/phiwatch.yml does not say: Default %s", value)
		}
	}
}

const day24 = duration(24 * 60 * 60 * 1e9)

// TestExampleConfigHasTheOperatorLists holds the example to the lists that
// exist, and to what it says of those that no rule of the catalog reads.
func TestExampleConfigHasTheOperatorLists(t *testing.T) {
	text := deployed(t, "phiwatch.yml")
	var catalog strings.Builder
	err := fs.WalkDir(rules.FS, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".yml" {
			return err
		}
		data, err := fs.ReadFile(rules.FS, name)
		catalog.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range operatorLists {
		m := regexp.MustCompile(`(?m)^  # (.*)\n  ` + list + `: \[`).FindStringSubmatch(text)
		if m == nil {
			t.Errorf("lists.%s is missing, or has no comment of one line", list)
			continue
		}
		read := regexp.MustCompile(`%` + list + `%|\w\.` + list + `\.`).MatchString(catalog.String())
		if unread := strings.Contains(m[1], "No built-in rule reads it"); read == unread {
			t.Errorf("lists.%s: read by the catalog: %v, but its comment says %q", list, read, m[1])
		}
	}
}

// instruction is one of a Dockerfile.
type instruction struct{ name, args string }

func dockerfile(t *testing.T) (all []instruction) {
	t.Helper()
	text := regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(deployed(t, "Dockerfile"), "")
	text = regexp.MustCompile(`\\\n\s*`).ReplaceAllString(text, "")
	for line := range strings.Lines(text) {
		if name, args, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			all = append(all, instruction{name, args})
		}
	}
	return all
}

func TestDockerfile(t *testing.T) {
	var bases, build, final []string
	for _, i := range dockerfile(t) {
		line := i.name + " " + i.args
		switch {
		case i.name == "FROM":
			bases = append(bases, i.args)
		case len(bases) == 1:
			build = append(build, line)
		default:
			final = append(final, line)
		}
	}
	goMod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(goMod))[1]
	if len(bases) != 2 || !strings.HasPrefix(bases[0], "golang:"+goVersion+"-") || !strings.HasSuffix(bases[1], ":nonroot") {
		t.Errorf("stages %q: want one on golang:%s-… and one on an image tagged nonroot", bases, goVersion)
	}
	for _, base := range bases {
		if !strings.Contains(base, ":") || strings.Contains(base, ":latest") {
			t.Errorf("FROM %s: name a tag, and not latest", base)
		}
	}
	_, port, _ := strings.Cut(defaultConfig().Web.Listen, ":")
	for _, want := range []struct {
		lines    []string
		what, re string
	}{
		{build, "a static binary", `^ENV CGO_ENABLED=0$`},
		{build, "a reproducible one", `^RUN go build -trimpath .*-X main\.version=\$\{VERSION\} -X main\.commit=\$\{REVISION\}.* \./cmd/phiwatch`},
		{build, "the version as an argument", `^ARG VERSION=` + regexp.QuoteMeta(version) + `$`},
		{final, "a user without privileges", `^USER [1-9]\d*:[1-9]\d*$`},
		{final, "the port of web.listen", `^EXPOSE ` + port + `$`},
		{final, "a volume for the state", `^VOLUME \["` + path.Dir(exampleState(t)) + `"\]$`},
		{final, "no shell in between", `^ENTRYPOINT \["/usr/local/bin/phiwatch"\]$`},
		{final, "labels", `^LABEL .*org\.opencontainers\.image\.title=.*licenses="Apache-2\.0".*version="\$\{VERSION\}".*revision="\$\{REVISION\}"`},
	} {
		if !slices.ContainsFunc(want.lines, regexp.MustCompile(want.re).MatchString) {
			t.Errorf("no line for %s: %s", want.what, want.re)
		}
	}
	if slices.ContainsFunc(final, func(l string) bool { return strings.HasPrefix(l, "HEALTHCHECK") || strings.HasPrefix(l, "RUN") }) {
		t.Error("the final image has no shell: RUN and HEALTHCHECK cannot work in it")
	}
}

// exampleState is where the example configuration keeps the state.
func exampleState(t *testing.T) string {
	t.Helper()
	cfg, err := loadConfig(writeConfig(t, deployed(t, "phiwatch.yml")))
	if err != nil {
		t.Fatal(err)
	}
	return cfg.State
}
