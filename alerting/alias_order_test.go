package alerting_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phiwatch/alerting"
	"phiwatch/detectors"
)

// twins are two kinds of records of a hold: the activity knows the case and the
// name, the cmdlet the name only.
const twins = `
title: Hold removed
id: 5d0f1c1e-0000-4000-8000-000000000031
logsource: {product: m365, service: audit}
detection:
  selection: {Operation: [HoldRemoved, Remove-Hold]}
  condition: selection
level: high
safeguard:
  entry: hold
  subject: CaseId | param.Name
  alias:
    names: [param.Name, param.Guid]
    used:
      selection: {Operation: [Remove-Hold, New-Hold]}
      condition: selection
  restored:
    selection: {Operation: [HoldCreated, New-Hold]}
    condition: selection
`

// twin makes a record of a hold.
func twin(i int, at time.Time, operation, caseID, name, guid string) detectors.Payload {
	body, err := json.Marshal(map[string]any{
		"CreationTime": at.Format("2006-01-02T15:04:05"), "Id": fmt.Sprintf("e%03d", i), "Operation": operation, "OrganizationId": "t", "RecordType": 1,
		"ResultStatus": "True", "Workload": "Exchange", "CaseId": caseID, "UserId": "ann@example.org",
		"Parameters": []map[string]string{{"Name": "Name", "Value": name}, {"Name": "Guid", "Value": guid}},
	})
	if err != nil {
		panic(err)
	}
	return detectors.Payload{Name: fmt.Sprint("event-", i), Body: body}
}

// However the records of a hold arrive, there is one violation: the same one,
// where the cmdlet alone removes holds, and where both do, the same under the name
// that was told first. Two names that were both told before it was known that they
// are one's stay two, and are over together.
func TestWhatIsKnownByTwoNamesIsOneViolationInAnyOrder(t *testing.T) {
	p := &player{t: t, db: catalogDB(t), engine: loadOne(t, "integrity/hold.yml", []byte(twins), nil)}
	for name, c := range map[string]struct {
		operations, names []string
		compare           func(want, got []alerting.Violation) string
	}{
		"told by one name": {
			[]string{"HoldCreated", "Remove-Hold", "New-Hold"}, []string{"h", "H"},
			func(want, got []alerting.Violation) string { return cmp.Diff(want, got) },
		},
		"told by two names": {
			[]string{"HoldCreated", "Remove-Hold", "New-Hold", "HoldRemoved", "HoldRemoved"}, []string{"h"},
			func(want, got []alerting.Violation) string { return cmp.Diff(nameless(want), nameless(got)) },
		},
		"told by three names": {
			[]string{"HoldCreated", "Remove-Hold", "New-Hold", "Remove-Hold", "HoldRemoved"}, []string{"h", "g"},
			func(want, got []alerting.Violation) string { return cmp.Diff(together(want), together(got)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			p.t = t
			r := rand.New(rand.NewPCG(uint64(len(c.operations)), 3))
			for seed := range 8 {
				s := &detectors.Scenario{Events: []detectors.Payload{
					twin(100, day0, "Remove-Hold", "", "h", ""), twin(101, day0.Add(time.Duration(r.IntN(72))*time.Hour), "HoldCreated", "case", "H", "g"), // each at least once
				}}
				for i := range 2 + r.IntN(6) {
					operation, caseID, name, guid := c.operations[r.IntN(len(c.operations))], "", c.names[r.IntN(len(c.names))], ""
					if operation[0] == 'H' {
						caseID, name, guid = "case", "h", "g"
					}
					s.Events = append(s.Events, twin(i, day0.Add(time.Duration(r.IntN(72))*time.Hour), operation, caseID, name, guid))
				}
				records := p.match(s)
				inTime(records) // sorts them
				want := p.ledger(r, records, false)
				for range 3 {
					r.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
					if diff := c.compare(want, p.ledger(r, records, true)); diff != "" {
						t.Fatalf("seed %d, %q, against the order of time (-want +got):\n%s", seed, outlineOf(records), diff)
					}
				}
			}
		})
	}
}

var day0 = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// nameless leaves out which of the names was told first.
func nameless(all []alerting.Violation) []alerting.Violation {
	all = slices.Clone(all)
	for i := range all {
		all[i].ID, all[i].Subject = "", ""
	}
	return all
}

// together is what violations of one thing come to.
func together(all []alerting.Violation) string {
	open, over := false, time.Time{}
	for i := range all {
		if all[i].State.Open() {
			open = true
		} else if all[i].Restored.After(over) {
			over = all[i].Restored
		}
	}
	if open {
		return "open"
	}
	return over.String()
}

// outlineOf says in which order records came.
func outlineOf(records []played) (out []string) {
	for _, r := range records {
		for i := range r.matches {
			f := &r.matches[i].Finding
			out = append(out, fmt.Sprintf("%s %s %s %v", f.Time.Format("02T15"), f.Evidence.Action, f.Subject, f.Alias))
		}
	}
	return out
}
