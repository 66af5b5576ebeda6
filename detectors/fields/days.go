package fields

import (
	"strconv"
	"strings"
	"time"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// days normalises durations.
type days struct{ path *document.Path }

func newDays(arg string, _ map[string][]string) (computed, error) {
	p, err := document.Compile(arg)
	return &days{p}, err
}

// unlimitedDays stands for a duration without end.
const unlimitedDays = 1_000_000

func (d *days) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	for text := range texts(ev, d.path) {
		if n, ok := Days(text); ok {
			dst = append(dst, number(n))
		}
	}
	return dst
}

var wordNumbers = map[string]int{
	"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
}

// Days reads the durations of retention settings: a number of days, .NET's
// d.hh:mm:ss and hh:mm:ss, the audit retention's SevenYears and SixMonths, 7 years, ISO 8601's P7Y.
// A year counts 365 days and a month 30, as the settings themselves count.
func Days(s string) (int, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "unlimited" {
		return unlimitedDays, true
	}
	if n, err := strconv.Atoi(s); err == nil {
		return n, true
	}
	if day, clock, found := strings.Cut(s, "."); found && strings.Count(clock, ":") == 2 {
		n, err := strconv.Atoi(day)
		return n, err == nil
	}
	for _, clock := range []string{"15:04:05", "15:04"} {
		if _, err := time.Parse(clock, s); err == nil {
			return 0, true // less than a day
		}
	}
	for unit, length := range map[string]int{"years": 365, "year": 365, "months": 30, "month": 30, "days": 1, "day": 1} {
		count, found := strings.CutSuffix(s, unit)
		if n, ok := wordNumbers[count]; found && ok {
			return n * length, true
		}
		if n, err := strconv.Atoi(strings.TrimSpace(count)); found && err == nil {
			return n * length, true
		}
	}
	return parseISODays(s)
}

func parseISODays(s string) (int, bool) {
	rest, found := strings.CutPrefix(s, "p")
	if !found || rest == "" {
		return 0, false
	}
	total, n := 0, 0
	for _, c := range rest {
		switch length := map[rune]int{'y': 365, 'm': 30, 'w': 7, 'd': 1}[c]; {
		case c >= '0' && c <= '9':
			n = n*10 + int(c-'0')
		case length > 0:
			total, n = total+n*length, 0
		default:
			return 0, false // hours and less: not a retention
		}
	}
	return total, true
}
