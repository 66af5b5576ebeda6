package blindness

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

// TestARecordOfAnotherTime has a record with a date years ahead come by, of a clock
// that is wrong: it must not look as though the stream went on after its setting
// was off.
func TestARecordOfAnotherTime(t *testing.T) {
	const years = 5 * 365 * 24 * time.Hour
	audit := func(l *listener) func() { return func() { l.hear(ingest.EntraAudit, "", 3, time.Minute) } }
	for name, before := range map[string]func(l *listener){
		"that came while all was well": func(l *listener) { l.hear(ingest.EntraAudit, "", 1, -years); l.tick(true) },
		"that an earlier build believed": func(l *listener) {
			l.exec("UPDATE blind_streams SET happened = happened + 157680000000000 WHERE kind = 'entra-audit'")
			l.pass(round, audit(l))
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, Options{})
			l.pass(48*time.Hour, audit(l))
			before(l)
			l.note("entra-diag-deleted", "d", detectors.Weakened, l.now)
			l.pass(2*time.Hour, nil)
			if len(l.findings) != 1 || l.findings[0].Rule.Entry != "diag-off-and-silent" {
				t.Errorf("got %v, want that the stream is silent since its setting is off", l.told)
			}
		})
	}
}

// TestOffAndOnInOneInstant has both arrive in either order: as in the ledger, it
// is off.
func TestOffAndOnInOneInstant(t *testing.T) {
	states := []detectors.State{detectors.Weakened, detectors.Restored}
	var told [][]string
	for i := range states {
		l := listen(t, Options{})
		l.pass(48*time.Hour, func() { l.hear(ingest.EntraAudit, "", 3, time.Minute) })
		l.note("entra-diag-deleted", "d", states[i], l.now)
		l.note("entra-diag-deleted", "d", states[1-i], l.now)
		l.pass(2*time.Hour, nil)
		told = append(told, l.told[max(0, len(l.told)-1):])
	}
	if diff := cmp.Diff(told[0], told[1]); diff != "" {
		t.Error(diff)
	}
	if want := []string{"Wed 01:00 weakened diag-off-and-silent critical t1 + entra-audit"}; !cmp.Equal(told[0], want) {
		t.Errorf("got %v, want %v", told[0], want)
	}
}
