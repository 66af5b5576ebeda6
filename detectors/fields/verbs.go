package fields

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// unlisted finds the values that are not in an operator's list.
type unlisted struct {
	list []string
	path *document.Path
}

func newUnlisted(arg string, lists map[string][]string) (computed, error) {
	list, path, err := listAndPath(arg)
	if err != nil {
		return nil, err
	}
	p, err := document.Compile(path)
	return &unlisted{lists[list], p}, err
}

func (u *unlisted) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	for text := range texts(ev, u.path) {
		if !slices.ContainsFunc(u.list, func(v string) bool { return strings.EqualFold(v, text) }) {
			dst = append(dst, sigma.Value{Kind: sigma.String, Text: text})
		}
	}
	return dst
}

// greater compares two numbers of a record.
type greater struct{ a, b *document.Path }

func newGreater(arg string, _ map[string][]string) (computed, error) {
	first, second, found := strings.Cut(arg, ",")
	if !found {
		return nil, fmt.Errorf("%q: write PATH,PATH", arg)
	}
	g := new(greater)
	var err error
	if g.a, err = document.Compile(first); err == nil {
		g.b, err = document.Compile(second)
	}
	return g, err
}

func (g *greater) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	a, errA := strconv.ParseFloat(ev.Text(g.a), 64)
	b, errB := strconv.ParseFloat(ev.Text(g.b), 64)
	switch {
	case errA != nil || errB != nil:
		return dst
	case a > b:
		return append(dst, sigma.Value{Kind: sigma.True, Text: "true"})
	}
	return append(dst, sigma.Value{Kind: sigma.False, Text: "false"})
}

// until counts the days from the event to a time in its record.
type until struct{ path *document.Path }

func newUntil(arg string, _ map[string][]string) (computed, error) {
	p, err := document.Compile(arg)
	return &until{p}, err
}

func (u *until) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	seconds, err := strconv.ParseInt(ev.Text(u.path), 10, 64)
	if err != nil || ev.Time.IsZero() {
		return dst
	}
	return append(dst, number(int((seconds-ev.Time.Unix())/int64((24*time.Hour).Seconds()))))
}

// listed finds the values of some paths that are in an operator's list.
type listed struct {
	list  []string
	paths []*document.Path
}

func newListed(arg string, lists map[string][]string) (computed, error) {
	list, rest, err := listAndPath(arg)
	if err != nil {
		return nil, err
	}
	l := &listed{list: lists[list]}
	for text := range strings.SplitSeq(rest, " | ") {
		p, err := document.Compile(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		l.paths = append(l.paths, p)
	}
	return l, nil
}

func (l *listed) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	for _, p := range l.paths {
		for text := range texts(ev, p) {
			if slices.ContainsFunc(l.list, func(v string) bool { return strings.EqualFold(v, text) }) {
				dst = append(dst, sigma.Value{Kind: sigma.String, Text: text})
			}
		}
	}
	return dst
}

// host takes the host out of a URL.
type host struct{ path *document.Path }

func newHost(arg string, _ map[string][]string) (computed, error) {
	p, err := document.Compile(arg)
	return &host{p}, err
}

func (h *host) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	for text := range texts(ev, h.path) {
		dst = append(dst, sigma.Value{Kind: sigma.String, Text: Host(text)})
	}
	return dst
}

// Host returns the host of a URL, or what stands for one.
func Host(url string) string {
	if _, rest, found := strings.Cut(url, "://"); found {
		url = rest
	}
	name, _, _ := strings.Cut(url, "/")
	return name
}

// count counts values.
type count struct{ path *document.Path }

func newCount(arg string, _ map[string][]string) (computed, error) {
	p, err := document.Compile(arg)
	return &count{p}, err
}

func (c *count) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	values := ev.Find(c.path)
	switch {
	case len(values) == 0:
		return dst
	case len(values) == 1 && (values[0].Kind == document.Null || values[0].Kind == document.Array && values[0].Text == "[]"):
		return append(dst, number(0))
	}
	return append(dst, number(len(values)))
}
