package localhub

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]address{
		"logs":                        {hub: "logs"},
		"/logs/":                      {hub: "logs"},
		"amqps://ns.example.org/logs": {hub: "logs"},
		"logs/Partitions/3":           {hub: "logs", part: "3"},
		"logs/consumergroups/$Default/partitions/0": {hub: "logs", group: "$Default", part: "0"},
		"$cbs":                          {node: "$cbs"},
		"$management":                   {node: "$management"},
		"logs/$management":              {node: "$management"},
		"sb://ns.example.org:5671/$CBS": {node: "$cbs"},
	} {
		got, ok := parseAddress(in)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(address{})); diff != "" || !ok {
			t.Errorf("%s: %v %s", in, ok, diff)
		}
	}
	for _, in := range []string{"", "/", "logs/Partitions", "logs/Publishers/x/y", "a/b/c/$cbs", "logs/ConsumerGroups/$Default"} {
		if a, ok := parseAddress(in); ok && (a.part != "" || a.group == "") {
			t.Errorf("%q: %+v", in, a)
		}
	}
}

func TestParseSelector(t *testing.T) {
	for in, want := range map[string]selector{
		"amqp.annotation.x-opt-offset > '-1'":                   earliest,
		"amqp.annotation.x-opt-offset > '@latest'":              {annotation: "x-opt-offset", latest: true},
		"amqp.annotation.x-opt-offset >= '@latest'":             {annotation: "x-opt-offset", latest: true, inclusive: true},
		" amqp.annotation.x-opt-sequence-number>='7' ":          {annotation: "x-opt-sequence-number", value: 7, inclusive: true},
		"amqp.annotation.x-opt-enqueued-time > '1767261600000'": {annotation: "x-opt-enqueued-time", value: 1767261600000},
	} {
		got, err := parseSelector(in)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(selector{})); diff != "" || err != nil {
			t.Errorf("%s: %v %s", in, err, diff)
		}
	}
	for _, in := range []string{"", "true", "amqp.annotation.x-opt-offset < '1'", "amqp.annotation.x-opt-offset > 'x'",
		"amqp.annotation.x-opt-sequence-number > '@latest'", "amqp.annotation.x-opt-offset > '1' OR 1=1"} {
		if sel, err := parseSelector(in); err == nil {
			t.Errorf("%q: %+v", in, sel)
		}
	}
}

func TestClaimsCoverWhatIsBelowThem(t *testing.T) {
	now := time.Unix(1767261600, 0)
	c := claims{}
	for audience, expiry := range map[string]time.Time{
		"amqps://ns.example.org/Logs": now.Add(time.Minute), "sb://ns.example.org/old": now, "amqp://ns.example.org/other/Partitions/1/": {}} {
		if err := c.add(audience, expiry); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]bool{
		"logs": true, "logs/ConsumerGroups/g/Partitions/0": true, "LOGS/$management": true, "logs2": false, "": false,
		"old": false, "other": false, "other/partitions/1": true, "other/partitions/10": false} {
		if got := c.cover(path, now); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	for i := range maxClaims {
		c.add(time.Duration(i).String(), now)
	}
	if len(c) > maxClaims {
		t.Errorf("%d claims", len(c))
	}
}

func TestTimeInAPartitionNeverGoesBack(t *testing.T) {
	clock := time.UnixMilli(1767261600000)
	p := newPartition("0", Config{Now: func() time.Time { return clock }}.withDefaults())
	add := func() {
		tail, err := Message{Body: []byte("x")}.encode()
		if err != nil {
			t.Fatal(err)
		}
		p.append([]event{{tail: tail}})
	}
	add()
	clock = clock.Add(-time.Hour)
	add()
	got := p.read(0, make([]*message, 0, 2), 1<<20)
	if got[1].enqueued < got[0].enqueued {
		t.Errorf("enqueued at %d, then %d", got[0].enqueued, got[1].enqueued)
	}
}
