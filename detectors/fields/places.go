package fields

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// places are what a cmdlet takes out of a compliance policy, or puts back, for
// each workload: "Exchange k.dorn@example.org", and "Exchange except k.dorn@example.org"
// for a place that a policy which covers all of them leaves out. A workload that
// gets All loses nothing with the places that it had by name. Which places All
// stands for no record tells, so it puts back only itself. Of a list that is too
// long for the sides of a finding the rest is told as one, which only the same list
// puts back.
type places struct {
	of   []workload
	back bool
}

// workload is where a command tells the places of one.
type workload struct {
	name                 string
	added, removed, set  *document.Path
	excepted, reincluded *document.Path
}

func newPlaces(back bool) func(string, map[string][]string) (computed, error) {
	return func(arg string, _ map[string][]string) (computed, error) {
		p := &places{back: back}
		for name := range strings.SplitSeq(arg, ",") {
			if name = strings.TrimSpace(name); name == "" {
				return nil, fmt.Errorf("%q: name workloads, as in Exchange,SharePoint", arg)
			}
			of := func(before, after string) (*document.Path, error) {
				return document.Compile("param." + before + name + "Location" + after)
			}
			w := workload{name: name}
			var err error
			for _, place := range []struct {
				at            **document.Path
				before, after string
			}{{&w.added, "Add", ""}, {&w.removed, "Remove", ""}, {&w.set, "", ""}, {&w.excepted, "Add", "Exception"}, {&w.reincluded, "Remove", "Exception"}} {
				if *place.at, err = of(place.before, place.after); err != nil {
					return nil, err
				}
			}
			p.of = append(p.of, w)
		}
		return p, nil
	}
}

func (p *places) inputs() (out []*document.Path) {
	for _, w := range p.of {
		if p.back {
			out = append(out, w.added, w.set, w.reincluded)
		} else {
			out = append(out, w.added, w.removed, w.excepted)
		}
	}
	return out
}

func (p *places) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	from := len(dst)
	tell := func(prefix string, names []string) {
		for _, name := range shortened(names) {
			dst = tellOnce(dst, from, prefix+name)
		}
	}
	for _, w := range p.of {
		added := itemsAt(ev, w.added)
		switch {
		case p.back:
			tell(w.name+" ", added)
			tell(w.name+" ", itemsAt(ev, w.set))
			tell(w.name+" except ", itemsAt(ev, w.reincluded))
		default:
			if !slices.ContainsFunc(added, isAll) {
				tell(w.name+" ", itemsAt(ev, w.removed))
			}
			tell(w.name+" except ", itemsAt(ev, w.excepted))
		}
	}
	return dst
}

// tellOnce appends a text that is not among the values from a place on; they are few.
func tellOnce(dst []sigma.Value, from int, text string) []sigma.Value {
	if slices.ContainsFunc(dst[from:], func(v sigma.Value) bool { return v.Text == text }) {
		return dst
	}
	return append(dst, sigma.Value{Kind: sigma.String, Text: text})
}

// maxPlaces is how many places of a list are told one by one.
const maxPlaces = 20

// shortened returns names, or the first of them in their order and the sum of the rest.
func shortened(names []string) []string {
	if len(names) <= maxPlaces {
		return names
	}
	sorted := make([]string, len(names))
	for i, name := range names {
		sorted[i] = strings.ToLower(name)
	}
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	rest := sorted[min(maxPlaces, len(sorted)):]
	if len(rest) == 0 {
		return sorted
	}
	sum := fnv.New64a()
	for _, name := range rest {
		sum.Write([]byte(name + "\n"))
	}
	return append(sorted[:maxPlaces:maxPlaces], fmt.Sprintf("and %d more (%x)", len(rest), sum.Sum64()))
}

func isAll(name string) bool { return strings.EqualFold(name, "All") }

// itemsAt returns the items of the lists at a path.
func itemsAt(ev *ingest.Event, p *document.Path) (out []string) {
	for text := range texts(ev, p) {
		out = slices.AppendSeq(out, itemsOf(text))
	}
	return out
}
