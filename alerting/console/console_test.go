package console

import (
	"context"
	"errors"
	"flag"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"phiwatch/alerting"
	"phiwatch/alerting/receivertest"
)

var update = flag.Bool("update", false, "write golden files")

func TestLines(t *testing.T) {
	var all strings.Builder
	samples := receivertest.Samples()
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		all.WriteString("# " + name + "\n")
		if _, err := New(&all, Options{}).Deliver(t.Context(), samples[name], nil); err != nil {
			t.Fatal(err)
		}
	}
	receivertest.Golden(t, "lines.txt", []byte(all.String()), *update)
	if i := strings.IndexFunc(all.String(), func(r rune) bool { return r < ' ' && r != '\n' || r == '\x7f' || r == '\u202e' }); i >= 0 {
		t.Errorf("a control character reaches the terminal at %q", all.String()[i:i+10])
	}
}

// A pipe that nobody reads holds up neither a reload nor the stop: an attempt ends
// with its time, and the line is written when there is a reader.
func TestAConsoleNobodyReadsGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, writer := io.Pipe()
		r := New(writer, Options{})
		for _, want := range []string{"write to console: context deadline exceeded", "an earlier line is still being written"} {
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			_, err := r.Deliver(ctx, receivertest.Group(1, receivertest.Policy()), nil)
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
		go func() {
			if _, err := r.Deliver(t.Context(), receivertest.Group(1, receivertest.Mailbox()), nil); err != nil {
				t.Error(err)
			}
			writer.Close()
		}()
		text, err := io.ReadAll(reader)
		if lines := strings.Split(string(text), "\n"); err != nil || len(lines) != 3 ||
			!strings.Contains(lines[0], "ca-policy-disabled") || !strings.Contains(lines[1], "mailbox-audit-off") {
			t.Errorf("read %q, %v", text, err)
		}
	})
}

func TestOnlyChangesArePrinted(t *testing.T) {
	var out strings.Builder
	r := New(&out, Options{})
	policy, mailbox := receivertest.Policy(), receivertest.Mailbox()
	var have alerting.Receipt
	for i, c := range []struct {
		violations []alerting.Violation
		lines      int
		contains   string
	}{
		{[]alerting.Violation{policy}, 1, "OPEN"},
		{[]alerting.Violation{policy}, 0, ""},
		{[]alerting.Violation{policy, mailbox}, 1, "mailbox-audit-off"},
		{[]alerting.Violation{mailbox, receivertest.Restored(policy)}, 1, "RESTORED"},
		{[]alerting.Violation{receivertest.Acked(mailbox), receivertest.Restored(policy)}, 1, "ACKED"},
	} {
		out.Reset()
		var err error
		if have, err = r.Deliver(t.Context(), receivertest.Group(int64(i+1), c.violations...), have); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out.String(), "\n"); n != c.lines || !strings.Contains(out.String(), c.contains) {
			t.Errorf("version %d: want %d lines with %q:\n%s", i+1, c.lines, c.contains, out.String())
		}
	}
}

func TestLinesTellNamesakesApart(t *testing.T) {
	const rg = "/subscriptions/cccccccc-0000-4000-8000-000000000003/resourceGroups/rg-ehr/providers/Microsoft.Sql/servers/"
	v := receivertest.Policy()
	r := New(nil, Options{})
	for _, tt := range []struct{ name, subject, want string }{
		{"PATIENTS", rg + "sql-a/databases/patients", "…/resourceGroups/rg-ehr/providers/Microsoft.Sql/servers/sql-a/databases/patients"},
		{"PATIENTS", rg + "sql-b/databases/patients", "…/resourceGroups/rg-ehr/providers/Microsoft.Sql/servers/sql-b/databases/patients"},
		{"Require MFA", "0b9d1a52-0000-4000-8000-0000000000ca", "Require MFA (0b9d1a52-0000-4000-8000-0000000000ca)"},
		{"TDE", rg + "sql-a/databases/patients", "TDE (…/providers/Microsoft.Sql/servers/sql-a/databases/patients)"},
		{"Ann@example.org", "ann@example.org", "ann@example.org"},
		{"", "ann@example.org", "ann@example.org"},
		{"PROD/Hosted Organizations/" + strings.Repeat("x", 70) + "/example.org/ann", strings.Repeat("y", 70) + "/example.org/ann", "…/example.org/ann"},
		{strings.Repeat("Clinic ", 20), "c1", strings.Repeat("Clinic ", 11) + "Cl… (c1)"},
		{"ann", "", "ann"},
		{"x", strings.Repeat("é", 100), "x (…" + strings.Repeat("é", maxTail-1) + ")"},
	} {
		v.SubjectName, v.Subject = tt.name, tt.subject
		if got := r.subject(v); got != tt.want {
			t.Errorf("%q of %q is shown as %q, want %q", tt.name, tt.subject, got, tt.want)
		}
	}
}

func TestColoursOnlyWhenAsked(t *testing.T) {
	for _, color := range []bool{true, false} {
		var out strings.Builder
		if _, err := New(&out, Options{Color: color}).Deliver(t.Context(), receivertest.Group(1, receivertest.Policy()), nil); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "\x1b["); got != color {
			t.Errorf("colour %v: %q", color, out.String())
		}
	}
}

func TestManyLinesAreCounted(t *testing.T) {
	var list []alerting.Violation
	for i := range maxLines + 23 {
		v := receivertest.Policy()
		v.ID += strings.Repeat("x", i)
		list = append(list, v)
	}
	var out strings.Builder
	if _, err := New(&out, Options{}).Deliver(t.Context(), receivertest.Group(1, list...), nil); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n"); n != maxLines+1 || !strings.Contains(out.String(), "and 23 more") {
		t.Errorf("%d lines, ending in %q", n, out.String()[out.Len()-40:])
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestFailedWriteIsTriedAgain(t *testing.T) {
	_, err := New(broken{}, Options{}).Deliver(t.Context(), receivertest.Group(1, receivertest.Policy()), nil)
	if receivertest.Of(err) != receivertest.Plain {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(&strings.Builder{}, Options{}).Deliver(ctx, receivertest.Group(1, receivertest.Policy()), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
