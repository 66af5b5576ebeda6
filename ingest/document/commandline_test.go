package document

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCommandLine(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", ``, ``},
		{"blank", "  \r\n", ``},
		{"quoted, list, number, switch, boolean",
			`-Name "Default policy" -TeamsLocation ("All") -RetentionDuration 2190 -Disabled $true -Enabled $False -Purge`,
			`Name string Default policy|TeamsLocation string All|RetentionDuration number 2190|Disabled true true|Enabled false false|Purge true true`},
		{"quoted boolean stays text", `-Force "True"`, `Force string True`},
		{"switch before another parameter", `-Purge -AddLabels ("a","b")`, `Purge true true|AddLabels string a|AddLabels string b`},
		{"cut inside quotes", `-Name "x" -Comment "Detects numbers in chats and any[...]"`, `Name string x|Comment string Detects numbers in chats and any[...]`},
		{"cut without a closing quote", `-Name "x" -Comment "Detects numbers`, `Name string x|Comment string Detects numbers`},
		{"cut in a list", `-AddLabels ("a","b[...]`, `AddLabels string a|AddLabels string b[...]`},
		{"cut after a comma", `-AddLabels ("a",`, `AddLabels string a`},
		{"cut list value", `-AddLabels ("a",[...])`, `AddLabels string a|AddLabels string [...]`},
		{"cut name says nothing", `-Name "x" -ContentCont[...]`, `Name string x`},
		{"empty text and empty list", `-Description "" -HoldNames () -ExchangeLocation ("All")`, `Description string |HoldNames array []|ExchangeLocation string All`},
		{"unescaped quotes in text", `-Comment "The "Default" policy "x", of us" -Name "n"`, `Comment string The "Default" policy "x", of us|Name string n`},
		{"parentheses and quotes in a query", `-ContentMatchQuery "(c:c)(senderauthor=a@example.org) AND ("x")" -Language ""`, `ContentMatchQuery string (c:c)(senderauthor=a@example.org) AND ("x")|Language string `},
		{"a dash in text is no parameter", `-Comment "to - or not -x "q" -from:y" -Name "n"`, `Comment string to - or not -x "q" -from:y|Name string n`},
		{"JSON with its own quotes in a list", `-Content ("{"Max":"100","Name":"Card"}","{"a":["b","c"]}") -Level "High"`, `Content string {"Max":"100","Name":"Card"}|Content string {"a":["b","c"]}|Level string High`},
		{"JSON cut short", `-Level "High" -Content ("{"MaxConfid`, `Level string High|Content string {"MaxConfid`},
		{"hash table", `-AdvancedSettings @{Mandatory="False"; x="y z"; n=5;flag=$true} -Name "n"`, `AdvancedSettings string Mandatory=False|AdvancedSettings string x=y z|AdvancedSettings string n=5|AdvancedSettings string flag=true|Name string n`},
		{"hash table over lines", "-AdvancedSettings @{a=\"b\"\nc='d'\n}", `AdvancedSettings string a=b|AdvancedSettings string c=d`},
		{"hash table with a list", `-AdvancedSettings @{LabelIds="a","b"; k=@("c","d")}`, `AdvancedSettings string LabelIds=a|AdvancedSettings string LabelIds=b|AdvancedSettings string k=c|AdvancedSettings string k=d`},
		{"empty hash table", `-AdvancedSettings @{}`, `AdvancedSettings array []`},
		{"cut hash table", `-AdvancedSettings @{a="b"; c="d`, `AdvancedSettings string a=b|AdvancedSettings string c=d`},
		{"list of hash tables", `-X (@{a=1},@{b=2})`, `X string a=1|X string b=2`},
		{"array operator and nested lists", `-X @("a",("b","c"),@()) -Y z`, `X string a|X string b|X string c|Y string z`},
		{"list without parentheses", `-X "a","b", "c" -Y 1,2`, `X string a|X string b|X string c|Y number 1|Y number 2`},
		{"colon form", `-Confirm:$false -WhatIf:$true -Name:"x"`, `Confirm false false|WhatIf true true|Name string x`},
		{"boolean in colon form closes a quote", `-Name "x" -Confirm:$false`, `Name string x|Confirm false false`},
		{"negative number", `-Priority -1 -Name x`, `Priority number -1|Name string x`},
		{"single quotes", `-Name 'it's here' -X 'y'`, `Name string it's here|X string y`},
		{"cmdlet name first", `Set-Label -Identity "x"`, `Identity string x`},
		{"bare words after a value are passed over", `-Name "x" y -Z "q" w`, `Name string x|Z string q`},
		{"null", `-Label $null`, `Label null `},
		{"script block", `-Filter {a -eq "b"} -N 1`, `Filter string {a -eq "b"}|N number 1`},
		{"lower-case names", `-name "x" -comment "y" -force`, `name string x|comment string y|force true true`},
		{"snipped", `-Name "<SNIP-PII>" -Location ("<SNIP-PII>")`, `Name string <SNIP-PII>|Location string <SNIP-PII>`},
		{"repeated parameter", `-X "a" -X "b"`, `X string a|X string b`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := commandLine{doc: new(Document)}
			l.parse(tt.text)
			if diff := cmp.Diff(tt.want, l.dump()); diff != "" {
				t.Errorf("parse(%s) (-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

func (l *commandLine) dump() string {
	var out []string
	for _, a := range l.args {
		out = append(out, a.name+" "+a.value.Kind.String()+" "+a.value.Text)
	}
	return strings.Join(out, "|")
}

// A text made to be slow must not be: sixteen times as much may take somewhat
// more than sixteen times as long, not 256 times. The machine may stand still for a
// second, so the best of some tries counts.
func TestCommandLineIsLinear(t *testing.T) {
	for _, unit := range []string{`-A "x" y `, `-A "{ x" y `, `-A ("x" y `, `-A {x `, `@{a=@(`, `-A @{a=@(`, `-A (`, `-A "b",`, `-A @{a;`, `-A @{"a"="b" c `, `"`, `-A '`, `)`} {
		short, long := parseTime(unit, 64<<10), parseTime(unit, 1<<20)
		for try := 1; long > 100*short && long > time.Second; try++ {
			if try == 5 {
				t.Errorf("64 KiB of %s took %s, 1 MiB %s", unit, short, long)
				break
			}
			short, long = max(short, parseTime(unit, 64<<10)), min(long, parseTime(unit, 1<<20))
		}
	}
}

func parseTime(unit string, size int) time.Duration {
	text := strings.Repeat(unit, size/len(unit))
	l := commandLine{doc: new(Document)}
	start := time.Now()
	l.parse(text)
	return time.Since(start)
}

func FuzzCommandLine(f *testing.F) {
	f.Add(`-Name "Default policy" -TeamsLocation ("All") -Comment "...[...]" -RetentionDuration 2190 -Disabled $true -Purge`)
	f.Add(`-AddLabels ("a","b") -AdvancedSettings @{Mandatory="False"; x="y"} -C ("{"a":"b"}") -D ("{"`)
	f.Add(`-X @(@{a=@("b",'c')},() -Y -1,$null -Z {q} -W:$true -V[...]`)
	f.Fuzz(func(t *testing.T, text string) {
		l := commandLine{doc: new(Document)}
		l.parse(text)
		for _, a := range l.args {
			if a.name == "" || nameLen("-"+a.name) != len(a.name)+1 {
				t.Fatalf("name %q", a.name)
			}
			if !strings.Contains(text, "-"+a.name) {
				t.Fatalf("name %q is not in the text", a.name)
			}
			if a.value.Kind == Missing {
				t.Fatalf("%s has no value", a.name)
			}
		}
		// What is written in the plain form is read back, whatever went before.
		l.parse(`-Known "value" -List ("a","b")`)
		if got := l.dump(); got != `Known string value|List string a|List string b` {
			t.Fatalf("state left over: %s", got)
		}
	})
}
