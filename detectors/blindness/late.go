package blindness

import (
	"strings"

	"phiwatch/detectors"
)

var notJudged = "the audit trail has not been judged yet"

// Late says why records may be late, and with them restores and what repeats: a
// hub that is not read to its end, or records that take long to reach it. Empty:
// they are not. What closes because nothing came must wait for as long. It goes
// by the last Tick that was Done.
func (w *Watch) Late() string { return *w.late.Load() }

func (t *tick) late() string {
	var why []string
	for i := range t.hubs {
		switch h := &t.hubs[i]; {
		case !h.Connected:
			why = append(why, h.Hub+" cannot be reached")
		case !h.Known:
			why = append(why, "it is not known how far behind "+h.Hub+" is read")
		case h.Behind >= t.options.Lag:
			why = append(why, h.Hub+" is read late")
		}
	}
	for _, a := range t.alarmsInOrder() {
		if a.entry == deliveryDelay.Entry && a.open && !t.options.off(deliveryDelay) && t.lateStill(a) {
			why = append(why, "records of "+a.subject+" arrive late")
		}
	}
	return strings.Join(why, "; ")
}

// lateStill reports whether records of a delayed stream are still to be expected:
// after a quiet longer than any lateness that counts, they are not.
func (t *tick) lateStill(a *alarm) bool {
	for _, s := range t.streams {
		if s.workload == "" && s.tenant == a.tenant && s.subject() == a.subject {
			return s.quiet < detectors.Lateness
		}
	}
	return false
}
