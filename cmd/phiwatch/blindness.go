package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"phiwatch/detectors/blindness"
	"phiwatch/ingest"
)

// blindnessConfig says when the audit trail itself is in trouble.
type blindnessConfig struct {
	// Floor is the shortest quiet that is ever called a silence; beyond it, five
	// times what is usual for the stream at that hour of the week.
	Floor duration `yaml:"floor"`
	// Silence gives kinds a fixed limit instead of the learned one.
	Silence map[string]duration `yaml:"silence"`
	// Expect names kinds that are missed even if they never came.
	Expect []string `yaml:"expect"`
	// Unreachable is how long a hub may be away, or answer without being read.
	Unreachable duration `yaml:"unreachable"`
	// Lag is how long a message may wait in the hub undecided.
	Lag duration `yaml:"lag"`
	// Delay is how late one record in twenty may reach the hub.
	Delay duration `yaml:"delay"`
	// Delays gives kinds another limit.
	Delays map[string]duration `yaml:"delays"`
	// QuarantineRecords and QuarantinePercent are how many records of half an
	// hour may be undecodable.
	QuarantineRecords int64   `yaml:"quarantine_records"`
	QuarantinePercent float64 `yaml:"quarantine_percent"`
	// UnseenFields is for how long a rule may find none of its fields in what it reads.
	UnseenFields duration `yaml:"unseen_fields"`
}

func defaultBlindness() blindnessConfig {
	return blindnessConfig{
		Floor: duration(blindness.DefaultFloor), Unreachable: duration(blindness.DefaultUnreachable), Lag: duration(blindness.DefaultLag),
		Delay: duration(blindness.DefaultDelay), QuarantineRecords: blindness.DefaultQuarantineRecords,
		QuarantinePercent: 100 * blindness.DefaultQuarantineShare, UnseenFields: duration(blindness.DefaultUnseen),
	}
}

// validate checks kinds and ranges. The least values are those below which the
// watch, which looks twice a minute, would tell noise.
func (c *blindnessConfig) validate() error {
	var errs []error
	for _, d := range []struct {
		key   string
		value duration
	}{
		{"floor", c.Floor}, {"unreachable", c.Unreachable}, {"lag", c.Lag}, {"delay", c.Delay}, {"unseen_fields", c.UnseenFields},
	} {
		errs = append(errs, atLeastMinute(d.key, d.value))
	}
	for key, limits := range map[string]map[string]duration{"silence": c.Silence, "delays": c.Delays} {
		for _, name := range slices.Sorted(maps.Keys(limits)) {
			errs = append(errs, knownKind(key, name))
			errs = append(errs, atLeastMinute(key, limits[name]))
		}
	}
	for _, name := range c.Expect {
		errs = append(errs, knownKind("expect", name))
	}
	if c.QuarantineRecords < 1 {
		errs = append(errs, errors.New("quarantine_records: must be 1 or more"))
	}
	if c.QuarantinePercent <= 0 || c.QuarantinePercent > 100 {
		errs = append(errs, fmt.Errorf("quarantine_percent: %v is not above 0 and at most 100", c.QuarantinePercent))
	}
	return errors.Join(errs...)
}

func atLeastMinute(key string, d duration) error {
	if time.Duration(d) < time.Minute {
		return fmt.Errorf("%s: %s is too short: at least 1m", key, time.Duration(d))
	}
	return nil
}

func knownKind(key, name string) error {
	if k, ok := ingest.KindOf(name); ok && k != ingest.Unknown {
		return nil
	}
	var names []string
	for _, k := range ingest.Kinds() {
		if k != ingest.Unknown {
			names = append(names, k.String())
		}
	}
	return fmt.Errorf("%s: %q is not a kind of record: use %s", key, name, strings.Join(names, ", "))
}

// options are those of the watch. The configuration is valid.
func (c *blindnessConfig) options() blindness.Options {
	o := blindness.Options{
		Floor: time.Duration(c.Floor), Silence: byKind(c.Silence), Unreachable: time.Duration(c.Unreachable), Lag: time.Duration(c.Lag),
		Delay: time.Duration(c.Delay), Delays: byKind(c.Delays), QuarantineRecords: c.QuarantineRecords,
		QuarantineShare: c.QuarantinePercent / 100, Unseen: time.Duration(c.UnseenFields),
	}
	for _, name := range c.Expect {
		k, _ := ingest.KindOf(name)
		o.Expect = append(o.Expect, k)
	}
	return o
}

func byKind(limits map[string]duration) map[ingest.Kind]time.Duration {
	out := make(map[ingest.Kind]time.Duration, len(limits))
	for name, d := range limits {
		k, _ := ingest.KindOf(name)
		out[k] = time.Duration(d)
	}
	return out
}
