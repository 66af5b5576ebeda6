package blindness

import (
	"strings"
	"testing"
	"time"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

func TestWhenRecordsAreLate(t *testing.T) {
	late := func(l *listener) func() { return func() { l.hear(ingest.EntraAudit, "", 30, 5*time.Hour) } }
	inTime := func(l *listener) func() { return func() { l.hear(ingest.EntraAudit, "", 30, time.Minute) } }
	const delayed = "records of t1 + entra-audit arrive late"
	for name, c := range map[string]struct {
		play func(l *listener)
		want string
	}{
		"nobody has looked yet":    {func(*listener) {}, "not been judged yet"},
		"all is well":              {func(l *listener) { l.pass(round, inTime(l)) }, ""},
		"there is no hub":          {func(l *listener) { l.hubs = nil; l.pass(round, nil) }, ""},
		"a hub is away":            {func(l *listener) { l.hubs[0].Connected = false; l.pass(round, nil) }, "example/audit cannot be reached"},
		"the lag is not known yet": {func(l *listener) { l.hubs[0].Known = false; l.pass(round, nil) }, "how far behind example/audit is read"},
		"a lag":                    {func(l *listener) { l.hubs[0].Behind = DefaultLag; l.pass(round, nil) }, "example/audit is read late"},
		"a small lag":              {func(l *listener) { l.hubs[0].Behind = DefaultLag - time.Second; l.pass(round, nil) }, ""},
		"a round that was not committed": {func(l *listener) {
			l.pass(round, inTime(l))
			l.hubs[0].Behind = time.Hour
			l.tick(false)
		}, ""},
		"a delay":                 {func(l *listener) { l.pass(round, late(l)) }, delayed},
		"a delay, and a restart":  {func(l *listener) { l.pass(round, late(l)); l.restart(time.Hour); l.pass(round, nil) }, delayed},
		"a delay that is over":    {func(l *listener) { l.pass(round, late(l)); l.pass(2*time.Hour, inTime(l)) }, ""},
		"a delay of what stopped": {func(l *listener) { l.pass(round, late(l)); l.pass(detectors.Lateness+time.Hour, nil) }, ""},
		"a delay that a pack does not judge": {func(l *listener) {
			l.pass(round, late(l))
			l.reload(disabling("entry:delivery-delay"))
			l.pass(round, late(l))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, Options{})
			c.play(l)
			if got := l.watch.Late(); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
