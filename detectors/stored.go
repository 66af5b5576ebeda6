package detectors

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
)

// storedMatch is a match or a finding that waits in the database. Its rule is
// named by entry: what a reload has removed is not found any more. The record
// stands behind the JSON and a NUL, which JSON never has: some are read by the
// hundred, and in base64 they would be most of what there is to decode.
type storedMatch struct {
	Finding
	Rule   string `json:"rule"`
	Record []byte `json:"record,omitempty"` // of builds before it stood behind
	Feeds  []byte `json:"feeds,omitempty"`
	Failed []byte `json:"failed,omitempty"` // builds before it stored none
	Silent bool   `json:"silent,omitempty"`
}

func storeMatch(m *Match) ([]byte, error) {
	f := &m.Finding
	s := storedMatch{Finding: *f, Feeds: m.feeds, Failed: m.failed, Silent: m.silent}
	if f.Rule != nil {
		s.Rule = f.Rule.Entry
	}
	s.Finding.Rule = nil
	data, err := json.Marshal(s)
	return append(append(data, 0), f.Evidence.Record...), err
}

func storeFinding(f *Finding) ([]byte, error) { return storeMatch(&Match{Finding: *f}) }

// readMatch reads what storeMatch wrote. Its Rule is nil if the entry is not
// loaded any more.
func (e *Engine) readMatch(data []byte) (Match, error) {
	var s storedMatch
	data, record, _ := bytes.Cut(data, []byte{0})
	if err := json.Unmarshal(data, &s); err != nil {
		return Match{}, fmt.Errorf("read a stored finding: %w", err)
	}
	if len(record) > 0 {
		s.Record = record
	}
	s.Finding.Evidence.Record = s.Record
	if r := e.byEntry[s.Rule]; r != nil {
		s.Finding.Rule = &r.Meta
	}
	return Match{Finding: s.Finding, feeds: s.Feeds, failed: s.Failed, silent: s.Silent}, nil
}

// scanMatches reads the rows of a query for stored matches and closes it; those
// of rules that are not loaded any more are left out.
func (e *Engine) scanMatches(rows *sql.Rows) ([]Match, error) {
	defer rows.Close()
	var out []Match
	for rows.Next() {
		var data []byte
		if err := rows.Scan(&data); err != nil {
			return nil, err
		}
		m, err := e.readMatch(data)
		if err != nil {
			return nil, err
		}
		if m.Finding.Rule != nil {
			out = append(out, m)
		}
	}
	return out, rows.Err()
}

// scanFindings is scanMatches for stored findings.
func (e *Engine) scanFindings(rows *sql.Rows) ([]Finding, error) {
	matches, err := e.scanMatches(rows)
	out := make([]Finding, len(matches))
	for i := range matches {
		out[i] = matches[i].Finding
	}
	return out, err
}

// keySep separates the parts of a key in the database, which takes no NUL.
const keySep = "\x1f"

// storable makes text of events one that every database takes.
func storable(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", keySep), "\ufffd")
}
