package blindness

import (
	"slices"
	"time"

	"phiwatch/detectors"
	"phiwatch/ingest"
)

// Options say what is too long, too late or too much. Zero values mean the
// defaults.
type Options struct {
	Floor             time.Duration                 // no quiet shorter than this is a silence; DefaultFloor
	Silence           map[ingest.Kind]time.Duration // a quiet of this is one, whatever is usual
	Expect            []ingest.Kind                 // kinds that are missed even if never heard
	Unreachable       time.Duration                 // for which a hub may be away; DefaultUnreachable
	Lag               time.Duration                 // for which a message may wait undecided; DefaultLag
	Delay             time.Duration                 // from event to hub; DefaultDelay
	Delays            map[ingest.Kind]time.Duration // likewise by kind
	QuarantineRecords int64                         // undecodable in 30 min; DefaultQuarantineRecords
	QuarantineShare   float64                       // likewise, of all; DefaultQuarantineShare
	Unseen            time.Duration                 // for which a rule's fields may be missing; DefaultUnseen
	Clock             []*detectors.ClockRule        // the entries of Rules as a pack has tuned them; nil: all in force
}

// Defaults of Options.
const (
	DefaultFloor             = time.Hour
	DefaultUnreachable       = 5 * time.Minute
	DefaultLag               = 15 * time.Minute
	DefaultDelay             = 2 * time.Hour
	DefaultIntuneDelay       = 26 * time.Hour // its device reports come once a day
	DefaultQuarantineRecords = 100
	DefaultQuarantineShare   = 0.01
	DefaultUnseen            = 14 * 24 * time.Hour
)

func (o *Options) fill() {
	o.Floor = or(o.Floor, DefaultFloor)
	o.Unreachable = or(o.Unreachable, DefaultUnreachable)
	o.Lag = or(o.Lag, DefaultLag)
	o.Delay = or(o.Delay, DefaultDelay)
	o.QuarantineRecords = or(o.QuarantineRecords, DefaultQuarantineRecords)
	o.QuarantineShare = or(o.QuarantineShare, DefaultQuarantineShare)
	o.Unseen = or(o.Unseen, DefaultUnseen)
}

// or is cmp.Or for a value that may be below zero.
func or[T time.Duration | int64 | float64](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

func (o *Options) delay(k ingest.Kind) time.Duration {
	if d := o.Delays[k]; d > 0 {
		return d
	}
	if k == ingest.Intune {
		return max(o.Delay, DefaultIntuneDelay)
	}
	return o.Delay
}

// off reports whether a pack has switched m off.
func (o *Options) off(m *detectors.Meta) bool { return o.tuned(m).DisabledBy() != "" }

// level returns the severity of a finding of m that by itself would have own.
func (o *Options) level(m *detectors.Meta, own detectors.Severity) detectors.Severity {
	return o.tuned(m).Level(own)
}

// tuned returns what a pack has made of m; nil: nothing.
func (o *Options) tuned(m *detectors.Meta) *detectors.ClockRule {
	i := slices.IndexFunc(o.Clock, func(c *detectors.ClockRule) bool { return c.Entry == m.Entry })
	if i < 0 {
		return nil
	}
	return o.Clock[i]
}
