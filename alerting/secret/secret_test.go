package secret_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"phiwatch/alerting/secret"
)

const password = "correct-horse"

func TestSecretNeverPrints(t *testing.T) {
	s := secret.Secret(password)
	holder := struct{ Token secret.Secret }{s}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %v"} {
		if strings.Contains(verb, "%T") {
			fmt.Fprintf(&out, verb+"\n", s, s)
			continue
		}
		fmt.Fprintf(&out, verb+"\n"+verb+"\n"+verb+"\n", s, holder, []secret.Secret{s})
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "token", s, "holder", holder)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "token", s, "holder", holder)
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		b, err := marshal(map[string]any{"token": s, "holder": holder})
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	for _, shown := range []string{password, fmt.Sprintf("%x", password), fmt.Sprintf("%X", password)} {
		if strings.Contains(out.String(), shown) {
			t.Errorf("the secret shows:\n%s", out.String())
		}
	}
	if s.Reveal() != password {
		t.Error("Reveal does not")
	}
	if got := secret.Secret("").String(); got != "" {
		t.Errorf("an unset secret prints as %q", got)
	}
}

func TestReadTrimsAndRefuses(t *testing.T) {
	for _, c := range []struct{ name, content, want, err string }{
		{"line feed", password + "\n", password, ""},
		{"windows", "  " + password + "\r\n\r\n", password, ""},
		{"nothing", " \n", "", "file is empty"},
		{"two lines", password + "\nsecond", "", "more than one line"},
		{"binary", "a\x00b", "", "more than one line of plain text"},
		{"byte order mark", "\ufeff" + password, "", "plain text"},
		{"not UTF-8", "\xff" + password, "", "plain text"},
		{"large", strings.Repeat("x", 20<<10), "", "check the path"},
	} {
		path := filepath.Join(t.TempDir(), "s")
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := secret.File(path).Read()
		if got.Reveal() != c.want || (err == nil) != (c.err == "") {
			t.Errorf("%s: %q, %v", c.name, got.Reveal(), err)
		}
		if err != nil && (!strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), password)) {
			t.Errorf("%s: want %q, the path and no secret: %v", c.name, c.err, err)
		}
	}
	if _, err := secret.File(t.TempDir()).Read(); err == nil || !strings.Contains(err.Error(), "name a readable file") {
		t.Errorf("a folder: %v", err)
	}
}

func TestRelativeFilesAreTakenFromTheConfigsFolder(t *testing.T) {
	for f, want := range map[secret.File]secret.File{"token": "/etc/phiwatch/token", "/run/token": "/run/token", "": ""} {
		if got := f.In("/etc/phiwatch"); got != want {
			t.Errorf("%s: %s, want %s", f, got, want)
		}
	}
}
