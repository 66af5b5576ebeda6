package document

import (
	"runtime"
	"testing"
)

// Records are read without allocating once the memory is there. What is
// unescaped comes from an arena, one allocation for many texts, so the mean is
// below one.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	records := samples(200)
	x := NewExtractor(compileAll(samplePaths))
	paths := compileAll(samplePaths)
	var d Document
	var f Fields
	var dst []Value
	for name, read := range map[string]func(){
		"Parse":   func() {},
		"Extract": func() { x.Extract(&d, &f) },
		"Values": func() {
			dst = dst[:0]
			for _, p := range paths {
				dst = d.Values(p, dst)
			}
		},
		"First": func() {
			for _, p := range paths {
				d.First(p)
			}
		},
		"Text": func() {
			for _, p := range paths {
				d.Text(p)
			}
		},
	} {
		i := 0
		next := func() {
			must(t, d.Parse(records[i%len(records)]))
			read()
			i++
		}
		for range records {
			next()
		}
		if got := testing.AllocsPerRun(2*len(records), next); got != 0 {
			t.Errorf("%s: %v allocations a record", name, got)
		}
	}
}

func TestViewsHardlyAllocate(t *testing.T) {
	x := everyPath()
	var d Document
	var f Fields
	for _, record := range []string{entraChange, compliance, activity} {
		raw := []byte(record)
		next := func() {
			must(t, d.Parse(raw))
			x.Extract(&d, &f)
		}
		next()
		if got := testing.AllocsPerRun(100, next); got != 0 {
			t.Errorf("%v allocations for %.60s", got, record)
		}
	}
}

// One huge record does not keep its memory for ever.
func TestHugeRecordsAreForgotten(t *testing.T) {
	var d Document
	huge := make([]byte, 0, 8<<20)
	huge = append(huge, '[')
	for len(huge) < cap(huge)-8 {
		huge = append(huge, `1,`...)
	}
	huge = append(huge, `1]`...)
	must(t, d.Parse(huge))
	must(t, d.Parse([]byte(`{}`)))
	if got := cap(d.main.nodes); got > keepNodes {
		t.Errorf("%d nodes are kept", got)
	}
	runtime.KeepAlive(huge)
}
