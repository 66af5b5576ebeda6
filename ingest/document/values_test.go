package document

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// render writes values as "kind text|kind text".
func render(values []Value) string {
	var out []string
	for _, v := range values {
		out = append(out, v.Kind.String()+" "+v.Text)
	}
	return strings.Join(out, "|")
}

func parse(t testing.TB, in string) *Document {
	t.Helper()
	d := new(Document)
	if err := d.Parse([]byte(in)); err != nil {
		t.Fatalf("Parse(%s): %v", in, err)
	}
	return d
}

func TestValues(t *testing.T) {
	tests := []struct{ name, doc, path, want string }{
		{"string", `{"a":"x"}`, `a`, `string x`},
		{"escapes", `{"a":"x\n\u00e9\ud83d\ude00\/\\"}`, `a`, "string x\né😀/\\"},
		{"number as written", `{"a":-1.50E+2}`, `a`, `number -1.50E+2`},
		{"booleans and null", `{"a":[true,false,null]}`, `a`, `true true|false false|null `},
		{"object as raw JSON", `{"a":{"b": 1 }}`, `a`, `object {"b": 1 }`},
		{"empty object", `{"a":{}}`, `a`, `object {}`},
		{"missing", `{"a":1}`, `b`, ``},
		{"names without case", `{"TargetResources":{"ID":"1"}}`, `targetresources.id`, `string 1`},
		{"case folding is for letters only", `{"a@":1,"a` + "`" + `":2}`, `a@`, `number 1`},
		{"name with escapes", `{"a\u0062\"c":1}`, `"ab\"c"`, `number 1`},
		{"array elements", `{"a":[1,"2",{"b":3}]}`, `a`, `number 1|string 2|object {"b":3}`},
		{"empty array", `{"a":[]}`, `a`, `array []`},
		{"nested arrays", `{"a":[[1,[2]],[]]}`, `a`, `number 1|number 2|array []`},
		{"any element", `{"a":[{"b":1},{"c":0},{"b":[2,3]},4]}`, `a.b`, `number 1|number 2|number 3`},
		{"root array", `[{"a":1},{"a":2}]`, `a`, `number 1|number 2`},
		{"duplicate names, first first", `{"a":1,"A":2,"a":3}`, `a`, `number 1|number 2|number 3`},
		{"any member", `{"a":{"x":{"i":1},"y":[{"i":2}]}}`, `a.*.i`, `number 1|number 2`},
		{"any member at the end", `{"a":{"x":1,"y":[2]}}`, `a.*`, `number 1|number 2`},
		{"quoted name", `{"claims":{"http://x.example/a.b/upn":"u"}}`, `claims."http://x.example/a.b/upn"`, `string u`},
		{"nothing below scalars", `{"a":1,"b":"x","c":null}`, `a.x`, ``},

		{"filter", `{"t":[{"type":"User","id":1},{"type":"Group","id":2},{"type":"user","id":3}]}`, `t[type=USER].id`, `number 1|number 3`},
		{"filter on an object", `{"t":{"type":"User","id":1}}`, `t[type=User].id`, `number 1`},
		{"filter at the end", `{"t":[{"k":1},{"k":2}]}`, `t[k=2]`, `object {"k":2}`},
		{"two filters", `{"t":[{"a":1,"b":2,"c":3},{"a":1,"c":4}]}`, `t[a=1][b=2].c`, `number 3`},
		{"filter by boolean and list", `{"t":[{"a":true,"b":["x","y"],"c":1},{"a":false,"c":2}]}`, `t[a=true][b=y].c`, `number 1`},
		{"filter value with a bracket", `{"t":[{"a":"x]y","c":1}]}`, `t[a="x]y"].c`, `number 1`},
		{"filter that nothing passes", `{"t":[{"a":"x","c":1}]}`, `t[a=z].c`, ``},
		{"filter in JSON in a string", `{"t":"[{\"a\":\"x\",\"c\":1}]"}`, `t[a=x].c`, `number 1`},

		{"JSON object in a string", `{"a":"{\"b\":[1,\"x\\ty\"]}"}`, `a.b`, "number 1|string x\ty"},
		{"JSON in JSON in a string", `{"a":"{\"b\":\"{\\\"c\\\":true}\"}"}`, `a.b.c`, `true true`},
		{"JSON string of JSON in a string", `{"a":"\"{\\\"c\\\":true}\""}`, `a.c`, `true true`},
		{"JSON with blanks in a string", `{"a":"\r\n [ {\"b\":1} ] "}`, `a.b`, `number 1`},
		{"JSON in a string without escapes", `{"a":"[1,2]","b":"[]"}`, `a.x`, ``},
		{"at the end a string stays a string", `{"a":"{\"b\":1}"}`, `a`, `string {"b":1}`},
		{"broken JSON in a string", `{"a":"{\"b\":1"}`, `a.b`, ``},
		{"text after JSON in a string", `{"a":"{\"b\":1} x"}`, `a.b`, ``},

		{"REST form", `{"operationName":{"value":"w","localizedValue":"Write"}}`, `operationName`, `string w`},
		{"REST form, other order", `{"operationName":{"localizedValue":"Write","value":"w"}}`, `operationName`, `string w`},
		{"REST form, member asked for", `{"operationName":{"value":"w","localizedValue":"Write"}}`, `operationName.localizedValue`, `string Write`},
		{"more members are no REST form", `{"a":{"value":"w","localizedValue":"W","x":1}}`, `a`, `object {"value":"w","localizedValue":"W","x":1}`},
		{"view names in quotes are names", `{"body":{"x":1}}`, `"body".x`, `number 1`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := parse(t, tt.doc)
			p := MustCompile(tt.path)
			for range 2 { // the second time from the caches
				if diff := cmp.Diff(tt.want, render(d.Values(p, nil))); diff != "" {
					t.Errorf("%s of %s (-want +got):\n%s", tt.path, tt.doc, diff)
				}
			}
			first, _, _ := strings.Cut(tt.want, "|")
			if got := render([]Value{d.First(p)}); got != first && first != "" {
				t.Errorf("First = %s, want %s", got, first)
			}
			if got := d.First(p); first == "" && got != (Value{}) {
				t.Errorf("First = %v, want nothing", got)
			}
		})
	}
}

func TestTextIsTheFirstScalar(t *testing.T) {
	d := parse(t, `{"a":[null,{},[],0,"x"],"b":{"c":[]}}`)
	if got := d.Text(MustCompile("a")); got != "0" {
		t.Errorf("Text(a) = %q, want 0", got)
	}
	if got := d.Text(MustCompile("b")); got != "" {
		t.Errorf("Text(b) = %q, want nothing", got)
	}
	var empty Document
	if got := empty.Text(MustCompile("a")); got != "" {
		t.Errorf("Text of an empty document = %q", got)
	}
}

func TestLayouts(t *testing.T) {
	tests := []struct {
		name, doc  string
		layout     Layout
		path, want string
	}{
		{"Graph skips properties", `{"id":"1","targetResources":[{"id":"t"}]}`, Graph, `properties.targetResources.id`, `string t`},
		{"Graph keeps other paths", `{"id":"1"}`, Graph, `id`, `string 1`},
		{"Graph with such a member", `{"id":"1","Properties":{"id":"2"}}`, Graph, `properties.id`, `string 2`},
		{"Native skips nothing", `{"id":"1"}`, Native, `properties.id`, ``},
		{"CloudApp object", `{"time":"t","properties":{"ActionType":"A","RawEventData":{"Operation":"O","Id":"1"}}}`, CloudApp, `Operation`, `string O`},
		{"CloudApp string", `{"time":"t","properties":{"RawEventData":"{\"Operation\":\"O\"}"}}`, CloudApp, `Operation`, `string O`},
		{"CloudApp falls back to the outer record", `{"time":"t","properties":{"ActionType":"A","RawEventData":{"Operation":"O"}}}`, CloudApp, `properties.ActionType`, `string A`},
		{"CloudApp prefers the inner record", `{"Id":"outer","properties":{"RawEventData":{"Id":"inner"}}}`, CloudApp, `Id`, `string inner`},
		{"CloudApp without an inner record", `{"Id":"outer","properties":{"RawEventData":"x"}}`, CloudApp, `Id`, `string outer`},
		{"CloudApp views", `{"properties":{"RawEventData":{"Parameters":[{"Name":"X","Value":"v"}]}}}`, CloudApp, `param.x`, `string v`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := parse(t, tt.doc)
			d.SetLayout(tt.layout)
			if got := render(d.Values(MustCompile(tt.path), nil)); got != tt.want {
				t.Errorf("%s = %s, want %s", tt.path, got, tt.want)
			}
		})
	}
}

func TestCompileExplainsBadPaths(t *testing.T) {
	for path, want := range map[string]string{
		``: "empty", `a..b`: "empty name", `.a`: "empty name", `a.`: "empty name", `"a`: "no closing quote", `"a"b`: "where a dot should be",
		`a[b]`: "a filter is [key=value]", `a[=b]`: "a filter is [key=value]", `a[b=c`: "no closing ]", `a[b="c"`: "no ]",
		`a[b=c]d`: "where a dot should be", `modified`: "modified needs", `modified.x`: "modified needs", `modified.old`: "modified needs",
		`param`: "param needs a name", `detail`: "detail needs a name",
	} {
		_, err := Compile(path)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Compile(%s) = %v, want an error with %q", path, err, want)
		}
	}
}

func TestStringsYieldsEveryStringUntilStopped(t *testing.T) {
	d := parse(t, `{"a":"x\ty","b":["z",1,{"c":""}],"d":null}`)
	var got []string
	for s := range d.Strings {
		got = append(got, s)
	}
	if diff := cmp.Diff([]string{"x\ty", "z", ""}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for s := range d.Strings {
		if s != "x\ty" {
			t.Error("went on after break")
		}
		break
	}
}

func TestTextOutlivesTheDocument(t *testing.T) {
	d := parse(t, `{"a":"x\ty","b":"{\"c\":\"d\\ne\"}"}`)
	a, c := d.Text(MustCompile("a")), d.Text(MustCompile("b.c"))
	for range 2000 { // more than an arena's worth
		if err := d.Parse([]byte(`{"a":"1\t2345678","b":"{\"c\":\"4\\n56789\"}"}`)); err != nil {
			t.Fatal(err)
		}
		d.Text(MustCompile("a"))
		d.Text(MustCompile("b.c"))
	}
	if a != "x\ty" || c != "d\ne" {
		t.Errorf("texts became %q and %q", a, c)
	}
}

func TestLayersOfJSONAreBounded(t *testing.T) {
	doc := `1`
	for range 12 {
		doc = `{"a":` + quote(doc) + `}`
	}
	d := parse(t, doc)
	if got := d.Text(MustCompile(strings.TrimSuffix(strings.Repeat("a.", 8), "."))); got == "" {
		t.Error("eight layers are not read")
	}
	if got := d.Values(MustCompile(strings.TrimSuffix(strings.Repeat("a.", 12), ".")), nil); len(got) != 0 {
		t.Errorf("twelve layers gave %v", got)
	}
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
