package document

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// viewPaths are paths of every form, beside samplePaths.
var viewPaths = []string{
	`modified.ConditionalAccessPolicy.new.state`, `modified.*.new`, `modified.*.old.State`, `modified.a.added`, `modified.ConditionalAccessPolicy.added.conditions.users.excludeUsers`, `modified.A.b.removed.x`, `modified.AccountEnabled.old`,
	`modified."Role.DisplayName".new`, `modified.SharingCapability.new`, `param.Identity`, `param.*`, `param.a`, `param.Name`, `param.AuditEnabled`, `param.a.b`, `param.CmdletOptions`,
	`detail.User-Agent`, `detail.a`, `detail.*`, `detail.a.b`, `body`, `body.properties.supportsHttpsTrafficOnly`, `body.a.b`, `*`, `*.id`, `properties.*`, `properties.*.id`,
	`properties.targetResources[type=User].id`, `targetResources[type=User].modifiedProperties.displayName`, `properties[a=x].a`, `properties`, `a`, `a.b`, `a[b=x]`, `a[b=x].a`, `a[a=1].b`, `a.a.a`, `a.*.b`,
	`properties.a`, `properties.a.b`, `properties.RawEventData.Operation`, `properties.RawEventData`, `A.B`, `Name`, `Value`, `properties.Parameters.Name`, `Parameters`, `Parameters.Name`, `identity.claims."http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"`,
}

// checkExtract holds Extract against Values in every layout.
func checkExtract(t *testing.T, x *Extractor, d *Document, f *Fields) {
	t.Helper()
	for _, layout := range []Layout{Native, Graph, CloudApp} {
		raw := d.Raw()
		must(t, d.Parse(raw))
		d.SetLayout(layout)
		x.Extract(d, f)
		touched := map[int]bool{}
		for _, slot := range f.Touched() {
			if touched[slot] {
				t.Fatalf("slot %d is touched twice", slot)
			}
			touched[slot] = true
		}
		for slot := range x.Len() {
			want := render(d.Values(x.Path(slot), nil))
			if got := render(f.Values(slot)); got != want {
				t.Fatalf("layout %d, %s of %.2000s\nExtract: %s\nValues:  %s", layout, x.Path(slot), raw, got, want)
			}
			if touched[slot] != (len(f.Values(slot)) > 0) {
				t.Fatalf("slot %d: touched %t, values %d", slot, touched[slot], len(f.Values(slot)))
			}
		}
	}
}

func everyPath() *Extractor { return NewExtractor(compileAll(append(viewPaths, samplePaths...))) }

func TestExtractGivesWhatValuesGives(t *testing.T) {
	x, f, d := everyPath(), new(Fields), new(Document)
	for _, raw := range samples(300) {
		must(t, d.Parse(raw))
		checkExtract(t, x, d, f)
	}
	for _, s := range []string{entraChange, sharePointChange, intuneChange, exchange, compliance, governance, activity, `1`, `[]`, `[[{"a":1}]]`} {
		must(t, d.Parse([]byte(s)))
		checkExtract(t, x, d, f)
	}
}

func TestExtractGivesWhatValuesGivesOnGeneratedRecords(t *testing.T) {
	x, f, d := everyPath(), new(Fields), new(Document)
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		must(t, d.Parse([]byte(randomJSON(r, 0, 0))))
		checkExtract(t, x, d, f)
	}
}

func TestExtractGivesWhatValuesGivesOnTheCorpus(t *testing.T) {
	x, f, d := everyPath(), new(Fields), new(Document)
	corpusLines(t, func(_ string, line []byte) {
		must(t, d.Parse(line))
		checkExtract(t, x, d, f)
	})
}

// randomJSON makes up a value with few names, so that paths meet it often.
func randomJSON(r *rand.Rand, depth, layer int) string {
	k := r.IntN(10)
	if depth == 0 {
		k = max(0, k-6) // an object, now and then an array
	}
	if depth > 6 {
		k = 4 + r.IntN(6)
	}
	var parts []string
	switch {
	case k < 3:
		for range r.IntN(5) {
			name := pick(r, "a", "b", "A", "properties", "properties", "Name", "Value", "Parameters", "ModifiedProperties", "targetResources", "modifiedProperties", "displayName", "oldValue", "newValue", "type", "id",
				"additionalDetails", "ExtendedProperties", "requestbody", "responseBody", "RawEventData", "localizedValue", `\u0061`, "Operation", "key", "Targets")
			parts = append(parts, `"`+name+`":`+randomJSON(r, depth+1, layer))
		}
		return "{" + strings.Join(parts, pick(r, ",", " , ")) + "}"
	case k < 4:
		for range r.IntN(4) {
			parts = append(parts, randomJSON(r, depth+1, layer))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case k < 6 && layer < 3:
		return quote(randomJSON(r, depth+1, layer+1))
	}
	return pick(r, `"a"`, `"x"`, `"User"`, `"A.b"`, `"CmdletOptions"`, `"SharingCapability"`, `" a "`, `"x\ty"`, `"\u0041"`, `1`, `-0.5`, `true`, `false`, `null`, `""`, `"[true]"`, `"null"`, `{}`, `[]`,
		quote(`-a "x" -Name ("a","b") -Identity $true`), quote(`{"b":`), quote(`-a @{b="x";a=1} -AuditEnabled`))
}

// FuzzPath compiles any path and holds Values, First and Extract against each
// other on a record.
func FuzzPath(f *testing.F) {
	for _, p := range append(viewPaths, samplePaths...) {
		f.Add(p, entraChange)
	}
	f.Add(`a."b\"c"[d="e]"].*`, `{"a":{"b\"c":[{"d":"e]","x":1}]}}`)
	f.Add(`param.a.b`, compliance)
	d, fields := new(Document), new(Fields)
	f.Fuzz(func(t *testing.T, path, record string) {
		p, err := Compile(path)
		if err != nil {
			return
		}
		if p.String() != path {
			t.Fatalf("String() = %q", p.String())
		}
		if d.Parse([]byte(record)) != nil {
			return
		}
		x := NewExtractor([]*Path{p, MustCompile("a.b"), p})
		checkExtract(t, x, d, fields)
		values := d.Values(p, nil)
		if first := d.First(p); len(values) > 0 && first != values[0] || len(values) == 0 && first.Kind != Missing {
			t.Fatalf("First = %v, Values = %v", first, values)
		}
	})
}

func TestExtractorIsReusedAcrossRecords(t *testing.T) {
	x := NewExtractor(compileAll([]string{"a", "b.c"}))
	var d Document
	var f Fields
	for i, want := range []string{"[{number 1}] []", "[] [{string x}]", "[] []"} {
		must(t, d.Parse([]byte([]string{`{"a":1}`, `{"b":{"c":"x"}}`, `{}`}[i])))
		x.Extract(&d, &f)
		if got := fmt.Sprint(f.Values(0), f.Values(1)); got != want {
			t.Errorf("record %d: %s, want %s", i, got, want)
		}
	}
}
