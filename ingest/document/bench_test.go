package document

import (
	"encoding/json"
	"testing"

	"github.com/valyala/fastjson"
)

// forSamples runs f over the samples, and reports the mean size's throughput.
func forSamples(b *testing.B, f func(record []byte)) {
	records := samples(2000)
	total := 0
	for _, r := range records {
		total += len(r)
		f(r)
	}
	b.SetBytes(int64(total / len(records)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		f(records[i])
		if i++; i == len(records) {
			i = 0
		}
	}
}

func BenchmarkParse(b *testing.B) {
	var d Document
	forSamples(b, func(record []byte) { must(b, d.Parse(record)) })
}

func BenchmarkParseValues(b *testing.B) {
	var d Document
	paths := compileAll(samplePaths)
	var dst []Value
	forSamples(b, func(record []byte) {
		must(b, d.Parse(record))
		dst = dst[:0]
		for _, p := range paths {
			dst = d.Values(p, dst)
		}
	})
}

func BenchmarkDecodeToMap(b *testing.B) {
	forSamples(b, func(record []byte) {
		var m map[string]any
		must(b, json.Unmarshal(record, &m))
	})
}

// BenchmarkFastJSON parses with fastjson and gets the same paths; unlike
// Values, it looks at the first element of an array only.
func BenchmarkFastJSON(b *testing.B) {
	var p fastjson.Parser
	var paths [][]string
	for _, c := range compileAll(samplePaths) {
		var keys []string
		for _, s := range c.segs {
			keys = append(keys, s.name)
			if s.name == "authenticationDetails" || s.name == "appliedConditionalAccessPolicies" || s.name == "targetResources" {
				keys = append(keys, "0")
			}
		}
		paths = append(paths, keys)
	}
	n := 0
	forSamples(b, func(record []byte) {
		v, err := p.ParseBytes(record)
		must(b, err)
		for _, keys := range paths {
			n += len(v.GetStringBytes(keys...))
		}
	})
}

func BenchmarkSkip(b *testing.B) {
	forSamples(b, func(record []byte) {
		_, err := Skip(record)
		must(b, err)
	})
}

func compileAll(paths []string) []*Path {
	out := make([]*Path, len(paths))
	for i, p := range paths {
		out[i] = MustCompile(p)
	}
	return out
}

func must(b testing.TB, err error) {
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkParseExtract(b *testing.B) {
	var d Document
	var f Fields
	x := NewExtractor(compileAll(samplePaths))
	forSamples(b, func(record []byte) {
		must(b, d.Parse(record))
		x.Extract(&d, &f)
	})
}

// BenchmarkParseExtractViews adds views and filters to the 45 paths.
func BenchmarkParseExtractViews(b *testing.B) {
	var d Document
	var f Fields
	x := NewExtractor(compileAll(append(samplePaths, `modified.ConditionalAccessPolicy.new.state`, `modified.AccountEnabled.new`, `modified.*.new`, `modified.Role.DisplayName.added`,
		`param.AuditEnabled`, `param.Enabled`, `param.RetentionDuration`, `detail.User-Agent`, `body.properties.minimumTlsVersion`, `properties.targetResources[type=User].id`)))
	forSamples(b, func(record []byte) {
		must(b, d.Parse(record))
		x.Extract(&d, &f)
	})
}
