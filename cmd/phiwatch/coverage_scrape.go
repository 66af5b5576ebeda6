package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"phiwatch/alerting/outbound"
)

// maxScrape bounds the page of metrics, in bytes.
const maxScrape = 16 << 20

// scrape asks the daemon's /metrics what events it has seen.
func (c *coverageCmd) scrape(ctx context.Context) (*seenEvents, error) {
	if err := outbound.CheckURL(c.URL); err != nil {
		return nil, usageError{fmt.Errorf("--url: %w", err)}
	}
	if (c.User == "") != (c.Secret == "") {
		return nil, usageError{errors.New("--url.user and --url.password-file: give both, or neither")}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(c.URL, "/")+"/metrics", nil)
	if err != nil {
		return nil, usageError{fmt.Errorf("--url: %w", err)}
	}
	if c.User != "" {
		password, err := os.ReadFile(c.Secret)
		if err != nil {
			return nil, usageError{fmt.Errorf("--url.password-file: %w; name the file with the password of --url.user", err)}
		}
		req.SetBasicAuth(c.User, strings.TrimRight(string(password), "\r\n"))
	}
	resp, err := outbound.Client(outbound.Options{UserAgent: "phiwatch/" + version, MaxResponse: maxScrape}).Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the daemon: %w; is it running, and is --url its web.listen?", outbound.Redact(err))
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return readSeen(resp.Body)
	case http.StatusUnauthorized:
		if c.User != "" {
			return nil, errors.New("ask the daemon: it refuses this user or password; correct --url.user or the file of --url.password-file")
		}
		return nil, errors.New("ask the daemon: it wants basic auth; give --url.user and --url.password-file")
	}
	return nil, fmt.Errorf("ask the daemon: /metrics answered %s; is --url a phiwatch?", resp.Status)
}

// seenLine is a line of the text exposition format that says what was seen.
var seenLine = regexp.MustCompile(`^(phiwatch_events_total|phiwatch_stream_last_event_timestamp_seconds|process_start_time_seconds)(?:\{kind="([a-z0-9-]+)"\})? ([0-9.e+]+)`)

// readSeen reads a page of metrics.
func readSeen(page io.Reader) (*seenEvents, error) {
	seen := &seenEvents{Events: map[string]int64{}, Last: map[string]time.Time{}}
	lines := bufio.NewScanner(page)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m := seenLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			return nil, fmt.Errorf("read the daemon's metrics: %w", err)
		}
		whole, fraction := math.Modf(v)
		at := time.Unix(int64(whole), int64(fraction*1e9)).UTC().Truncate(time.Second)
		switch kind := m[2]; {
		case m[1] == "process_start_time_seconds":
			seen.Since = at
		case m[1] == "phiwatch_events_total":
			seen.Events[kind] = int64(v)
		case v > 0:
			seen.Last[kind] = at
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the daemon's metrics: %w", err)
	}
	if len(seen.Events) == 0 {
		return nil, errors.New("ask the daemon: its /metrics has no phiwatch_events_total; is --url a phiwatch?")
	}
	return seen, nil
}
