package detectors

import (
	"database/sql"
	"encoding/json"
	"fmt"
)

// storedFinding is a finding that waits in the database. Its rule is named by
// entry: what a reload has removed is not found any more.
type storedFinding struct {
	Finding
	Rule   string `json:"rule"`
	Record []byte `json:"record"`
	Unsure bool   `json:"unsure,omitempty"`
	Value  string `json:"value,omitempty"`
}

func storeFinding(f *Finding) ([]byte, error) {
	s := storedFinding{Finding: *f, Record: f.Evidence.Record, Unsure: f.unsure, Value: f.value}
	if f.Rule != nil {
		s.Rule = f.Rule.Entry
	}
	s.Finding.Rule = nil
	return json.Marshal(s)
}

// readFinding reads what storeFinding wrote. Its Rule is nil if the entry is
// not loaded any more.
func (e *Engine) readFinding(data []byte) (Finding, error) {
	var s storedFinding
	if err := json.Unmarshal(data, &s); err != nil {
		return Finding{}, fmt.Errorf("read a stored finding: %w", err)
	}
	s.Finding.Evidence.Record, s.Finding.unsure, s.Finding.value = s.Record, s.Unsure, s.Value
	if r := e.byEntry[s.Rule]; r != nil {
		s.Finding.Rule = &r.Meta
	}
	return s.Finding, nil
}

// scanFindings reads the rows of a query for stored findings and closes it;
// those of rules that are not loaded any more are left out.
func (e *Engine) scanFindings(rows *sql.Rows) ([]Finding, error) {
	defer rows.Close()
	var out []Finding
	for rows.Next() {
		var data []byte
		if err := rows.Scan(&data); err != nil {
			return nil, err
		}
		f, err := e.readFinding(data)
		if err != nil {
			return nil, err
		}
		if f.Rule != nil {
			out = append(out, f)
		}
	}
	return out, rows.Err()
}
