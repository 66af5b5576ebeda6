package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/strict"
)

// duration reads Go durations and whole days: 90s, 15m, 72h, 30d.
type duration time.Duration

// maxDays is about as many as fit.
const maxDays = 100_000

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *duration) UnmarshalYAML(n *yaml.Node) error {
	if days, ok := strings.CutSuffix(n.Value, "d"); ok {
		if k, err := strconv.ParseInt(days, 10, 64); err == nil {
			if k > maxDays || k < -maxDays {
				return fmt.Errorf("%s is more than can be counted: at most %dd", n.Value, maxDays)
			}
			*d = duration(time.Duration(k) * 24 * time.Hour)
			return nil
		}
	}
	v, err := time.ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("want a duration such as 90s, 15m, 72h or 30d, got %s", strict.Form(n))
	}
	*d = duration(v)
	return nil
}
