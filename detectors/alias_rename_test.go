package detectors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// byName are rules of things that are known by their names: one of what protects, when
// it is on, and one of what harms then.
const byName = `
title: Thing that protects switched off
id: 5d0f1c1e-0000-4000-8000-00000000000d
logsource: {product: m365, service: audit}
detection: {selection: {Operation: Disable-Thing}, condition: selection}
level: high
safeguard:
  entry: off
  subject: param.Identity
  alias:
    names: [ObjectId]
    used: {selection: {ObjectId|re: '\S'}, condition: selection}
    renamed: {detection: {selection: {Operation: Set-Thing, param.Name|exists: true}, condition: selection}, to: param.Name}
  restored: {selection: {Operation: Enable-Thing}, condition: selection}
---
title: Thing that harms switched on
id: 5d0f1c1e-0000-4000-8000-00000000000e
logsource: {product: m365, service: audit}
detection: {selection: {Operation: Enable-Thing}, condition: selection}
level: high
safeguard:
  entry: 'on'
  subject: param.Identity
  alias:
    names: [ObjectId]
    used: {selection: {ObjectId|re: '\S'}, condition: selection}
    renamed: {detection: {selection: {Operation: Set-Thing, param.Name|exists: true}, condition: selection}, to: param.Name}
  restored: {selection: {Operation: Disable-Thing}, condition: selection}
  known:
    detection: {selection: {param.Harm: true}, condition: selection}
    key: param.Identity
    of: param.Identity
    forgotten: {detection: {selection: {param.Harm: false}, condition: selection}}
  unknown: none
`

// thingRecord is one of a line: hours after noon, operation, name, and the name that it
// gets, or whether it harms.
func thingRecord(t *testing.T, i int, line string) string {
	t.Helper()
	var hour int
	var operation, name, value string
	if n, err := fmt.Sscan(line, &hour, &operation, &name, &value); n < 3 {
		t.Fatalf("%q: %v", line, err)
	}
	parameter := "Harm"
	if operation == "Rename" {
		operation, parameter = "Set", "Name"
	}
	return fmt.Sprintf(`{"CreationTime":%q,"Id":"%03d","Operation":"%s-Thing","OrganizationId":"t","RecordType":1,"ResultStatus":"True","Workload":"Exchange","ObjectId":%q,"UserId":"ann",
		"Parameters":[{"Name":"Identity","Value":%q},{"Name":%q,"Value":%q}]}`, noon.Add(time.Duration(hour)*time.Hour).Format("2006-01-02T15:04:05"), i, operation, name, name, parameter, value)
}

func TestWhatIsRenamedIsFollowed(t *testing.T) {
	set := setOf(t, byName)
	for name, c := range map[string]struct{ events, want []string }{
		"while it is off": {
			[]string{"1 Disable x", "2 Rename x y", "3 Enable y"},
			[]string{"off of x: high restored"},
		},
		"and back": {
			[]string{"1 Disable x", "2 Rename x y", "3 Rename y x", "4 Enable x"},
			[]string{"off of x: high restored"},
		},
		"twice": {
			[]string{"1 Disable x", "2 Rename x y", "3 Rename y z", "4 Enable z"},
			[]string{"off of x: high restored"},
		},
		"after that": {
			[]string{"1 Disable x", "2 Enable y", "3 Rename x y"},
			[]string{"off of x: high weakened"},
		},
		"to its own name, as some say at every save": {
			[]string{"1 Disable x", "2 Rename x x", "3 Enable y"},
			[]string{"off of x: high weakened"},
		},
		"what harms": {
			[]string{"1 Set x true", "2 Disable x", "3 Rename x y", "4 Enable y"},
			[]string{"off of x: high restored", "on of y: high weakened"},
		},
		"what did when it had another name": {
			[]string{"1 Set x true", "2 Rename x y", "3 Set y false", "4 Rename y z", "5 Enable z"},
			nil,
		},
		"and another that takes its name harms": {
			[]string{"1 Rename x y", "2 Set x true", "3 Enable y", "4 Enable x"},
			[]string{"on of x: high weakened"},
		},
		"and another that takes its name does not": {
			[]string{"1 Set x true", "2 Rename x y", "3 Set x false", "4 Enable x", "5 Enable y"},
			[]string{"on of y: high weakened"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var records []string
			for i, line := range c.events {
				records = append(records, thingRecord(t, i, line))
			}
			r := rand.New(rand.NewPCG(7, 3))
			for range 6 {
				if diff := cmp.Diff(c.want, ledgerInTime(applyAnyhow(t, r, set, records))); diff != "" {
					t.Fatalf("order %q (-want +got):\n%s", records, diff)
				}
				r.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
			}
		})
	}
}

func TestRenameMistakes(t *testing.T) {
	const detection = "detection: {s: {Operation: x}, condition: s}"
	for _, renamed := range []string{"{to: param.Name}", "{" + detection + "}", "{to: param.Name, " + detection + "}, only: restored"} {
		_, err := loadThing(exchangeRule(holds, "  alias: {names: [ObjectId], used: {s: {Operation: x}, condition: s}, renamed: "+renamed+"}\n"))
		const want = "safeguard.alias.renamed: write {detection: DETECTION, to: SUBJECT}, and not with only: restored"
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", renamed, err, want)
		}
	}
}

// applyAnyhow applies records in batches of any size, some of them twice, some in a
// transaction that is rolled back before a new process takes over.
func applyAnyhow(t *testing.T, r *rand.Rand, set *Set, records []string) (found []Finding) {
	t.Helper()
	e, db := newEngine(t, set), openDB(t)
	defer db.Close()
	for len(records) > 0 {
		n := 1 + r.IntN(min(len(records), 3))
		switch r.IntN(4) {
		case 0:
			applyBatch(t, e, db, false, records[:n]...)
			e = newEngine(t, set)
		case 1:
			found = append(found, applyBatch(t, e, db, true, records[:n]...)...)
			e.Committed()
		}
		found = append(found, applyBatch(t, e, db, true, records[:n]...)...)
		records = records[n:]
	}
	return found
}

// ledgerInTime is the ledger without what was told and taken back: in its order that is
// not told.
func ledgerInTime(findings []Finding) []string {
	left, _ := standing(findings)
	return ledgerOf(left)
}

// Whatever is renamed to whatever, the order of the records makes no difference.
func TestNamesThatComeAndGoInAnyOrder(t *testing.T) {
	set := setOf(t, byName)
	name := func(r *rand.Rand) string { return string("wxyz"[r.IntN(4)]) }
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 5))
		var lines, records []string
		for i := range 8 + r.IntN(12) {
			line := fmt.Sprintf("%d %s %s ", r.IntN(70), []string{"Disable", "Enable", "Rename", "Rename", "Set", "Set"}[r.IntN(6)], name(r))
			if strings.Contains(line, "Rename") {
				line += name(r)
			} else if strings.Contains(line, "Set") {
				line += fmt.Sprint(r.IntN(3) > 0)
			}
			lines, records = append(lines, line), append(records, thingRecord(t, i, line))
		}
		slices.SortFunc(records, func(a, b string) int { return strings.Compare(a[:40], b[:40]) }) // the time comes first
		want := ledgerInTime(applyAnyhow(t, r, set, records))
		for range 4 {
			r.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
			if diff := cmp.Diff(want, ledgerInTime(applyAnyhow(t, r, set, records))); diff != "" {
				t.Fatalf("seed %d, %q (-want +got):\n%s", seed, lines, diff)
			}
		}
	}
}
