package untrusted_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"phiwatch/alerting/untrusted"
)

func TestLine(t *testing.T) {
	for _, c := range []struct {
		name, in string
		max      int
		want     string
	}{
		{"plain", "Ada Example", 20, "Ada Example"},
		{"other scripts stay", "Çağla 山田 Ω", 20, "Çağla 山田 Ω"},
		{"one line", " a\r\n\t b\u2028c\u0085d\u00a0e ", 20, "a b c d e"},
		{"escapes", "\x1b[31mred\x07", 20, "�[31mred�"},
		{"direction", "user\u202egpj.exe", 20, "user�gpj.exe"},
		{"invisible", "ad\u200bmin\u00ad\ufeff\u2060\U000e0041\u3164", 20, "ad\ufffdmin\ufffd\ufffd\ufffd\ufffd\ufffd"},
		{"private use", "\ue000", 5, "�"},
		{"bytes", "a\xffb", 5, "a�b"},
		{"exact", "12345", 5, "12345"},
		{"exact and space", "12345  \n", 5, "12345"},
		{"cut", "123456", 5, "1234…"},
		{"cut at space", "1234 6", 5, "1234…"},
		{"none", "abc", 0, ""},
		{"one", "abc", 1, "…"},
	} {
		if got := untrusted.Line(c.in, c.max); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("a\u202eb\r\n", 3)
	f.Add(strings.Repeat("x ", 100), 50)
	f.Fuzz(func(t *testing.T, s string, max int) {
		max %= 2000
		got := untrusted.Line(s, max)
		if n := utf8.RuneCountInString(got); !utf8.ValidString(got) || n > 0 && n > max {
			t.Errorf("%d characters, want at most %d: %q", n, max, got)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return !untrusted.Visible(r) && r != utf8.RuneError }) {
			t.Errorf("not visible: %q", got)
		}
		if max > 0 && untrusted.Line(got, max) != got {
			t.Errorf("not stable: %q", got)
		}
	})
}
