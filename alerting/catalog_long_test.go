package alerting_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"
)

var longDays = flag.Int("long", 4, "how many days pass between what TestNothingChangesByWaiting tells; others than 4 ask more, and take minutes")

// notLong are the scenarios that cannot be told in several ways side by side.
var notLong = map[string]string{
	"weak-tls-in-use":           "its records are of whatever tenant, so that what happens to others happens to it",
	"retention-cut-then-delete": "a thousand deletions, which nothing restores",
}

// notAnew are the payloads that weaken only as long as it is known what they switch on:
// what restores it has ended that.
var notAnew = []string{
	"eop-allow-list-widened: hit-skip-on", "mailflow-diverts-copy: hit-lab-copy-on", "mailflow-diverts-copy: hit-rota-on", "mailflow-strips-encryption: hit-enabled",
}

// TestNothingChangesByWaiting tells parts of every entry's test events again, or
// only then, after days on which everything happens to others: what was open when
// it was told is open when it is told again, and what restores at once restores
// after days, too, also what was told to be weak again meanwhile.
func TestNothingChangesByWaiting(t *testing.T) {
	eachLong(t, notLong, func(l *long, _ int, file string, rule []byte) {
		if l.correlates && !bytes.Contains(rule, []byte("restores: true")) && !bytes.Contains(rule, []byte("incident: false")) {
			return // it has incidents only
		}
		l.play(file, bytes.Contains(rule, []byte("any_tenant: true")))
	})
}

// eachLong calls play with every scenario but some, in two parts side by side that
// have one database each.
func eachLong(t *testing.T, but map[string]string, play func(l *long, i int, file string, rule []byte)) {
	c := catalogOf(t)
	for part := range 2 {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			p := &player{t: t, db: catalogDB(t)}
			for i, file := range c.files {
				entry := strings.TrimSuffix(path.Base(file), ".yml")
				if i%2 != part || but[entry] != "" {
					continue
				}
				rule, correlates, set := c.rule(t, file)
				play(&long{t: t, p: p, set: set, entry: entry, correlates: correlates}, i, file, rule)
			}
		})
	}
}

// version is one way to tell the events, under a tenant of its own.
type version struct {
	early []int   // payloads, when they were
	later [][]int // and some, then or again, days after each other
	check func(now []opened)
}

// play tells all versions of a scenario: side by side, or one by one, where their
// tenants do not keep them apart.
func (l *long) play(file string, oneByOne bool) {
	l.t.Helper()
	l.read(file)
	versions := l.versions(l.asTheyAre())
	names := slices.Sorted(maps.Keys(versions))
	if !oneByOne {
		l.playVersions(versions, names)
		return
	}
	for i := range names {
		l.playVersions(versions, names[i:i+1])
	}
}

func (l *long) playVersions(versions map[string]version, names []string) {
	l.t.Helper()
	l.empty()
	l.start()
	for k := range l.payloads {
		var batch []played
		for _, name := range names {
			if slices.Contains(versions[name].early, k) {
				batch = append(batch, l.tell(k, name, 0)...)
			}
		}
		l.batch(batch)
	}
	var now []map[string]opened
	for stage := range 2 {
		l.quiet(stage)
		var batch []played
		for _, name := range names {
			if later := versions[name].later; len(later) > stage {
				for _, k := range later[stage] {
					batch = append(batch, l.tell(k, name, l.shift*time.Duration(stage+1))...)
				}
			}
		}
		l.batch(batch)
		now = append(now, l.open())
	}
	for _, name := range names {
		versions[name].check([]opened{now[0][name], now[1][name]})
	}
}

// asTheyAre returns what is open after each payload.
func (l *long) asTheyAre() (after []opened) {
	l.t.Helper()
	l.empty()
	l.start()
	for k := range l.payloads {
		l.batch(l.tell(k, "as they are", 0))
		after = append(after, l.open()["as they are"])
	}
	return after
}

// versions are the tellings of which something is asked: of each payload after which
// something else is open, unless the file tells an earlier event before it.
func (l *long) versions(after []opened) map[string]version {
	out := map[string]version{}
	for k := range l.payloads {
		before := opened{}
		if k > 0 {
			before = after[k-1]
		}
		if !l.newest(k) {
			continue
		}
		if weak := missing(after[k], before); len(weak) > 0 {
			out[fmt.Sprint("again.", k, ".")] = l.again(k, after[k])
			j := slices.IndexFunc(after[k:], func(o opened) bool { return len(missing(only(weak), o)) == len(weak) })
			if j > 0 && !l.correlates && l.newest(k+j) && !slices.Contains(notAnew, l.entry+": "+l.payloads[k].Name) {
				out[fmt.Sprint("anew.", k, ".")] = l.anew(k, k+j, weak)
			}
		}
		strong := missing(before, after[k])
		if len(strong) == 0 {
			continue
		}
		out[fmt.Sprint("late.", k, ".")] = l.late(k, strong, l.together(k))
		if *longDays != 4 {
			out[fmt.Sprint("later.", k, ".")] = l.late(k, strong, nil, l.together(k))
		}
		i := k - 1 // what weakened it last
		for i > 0 && !slices.ContainsFunc(strong, func(side string) bool { return after[i][side] && !after[i-1][side] }) {
			i--
		}
		if l.newest(i) {
			out[fmt.Sprint("retold.", k, ".")] = l.late(k, strong, l.together(i), l.together(k))
		}
	}
	return out
}

// again tells a payload that weakened something twice more.
func (l *long) again(k int, open opened) version {
	return version{upTo(k + 1), [][]int{{k}, {k}}, func(now []opened) {
		for i := range now {
			for _, side := range missing(open, now[i]) {
				l.t.Errorf("%s: %s, told again %d times, closes %s", l.entry, l.payloads[k].Name, i+1, side)
			}
		}
	}}
}

// anew tells a payload again after one that restored what it weakened.
func (l *long) anew(k, restored int, weak []string) version {
	return version{upTo(restored + 1), [][]int{l.together(k)}, func(now []opened) {
		if len(missing(only(weak), now[0])) == len(weak) {
			l.t.Errorf("%s: %s, told again after %s, does not open %s", l.entry, l.payloads[k].Name, l.payloads[restored].Name, weak)
		}
	}}
}

// late tells a payload that restores days later.
func (l *long) late(k int, strong []string, later ...[]int) version {
	of := l.together(k)
	early := slices.DeleteFunc(upTo(k), func(i int) bool { return slices.Contains(of, i) })
	return version{early, later, func(now []opened) {
		for _, side := range strong {
			if now[len(later)-1][side] {
				l.t.Errorf("%s: %s, told %d days later, does not close %s", l.entry, l.payloads[k].Name, len(later)**longDays, side)
			}
		}
	}}
}
