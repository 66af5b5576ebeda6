package detectors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest"
)

// exchange makes one record of an Exchange cmdlet on the hour.
func exchange(hour int, operation, object string, parameters ...string) string {
	var list []string
	for i := 0; i+1 < len(parameters); i += 2 {
		list = append(list, fmt.Sprintf(`{"Name":%q,"Value":%q}`, parameters[i], parameters[i+1]))
	}
	return fmt.Sprintf(`{"CreationTime":"2026-03-02T%02d:00:00","Id":"e%02d","Operation":%q,"OrganizationId":"t","RecordType":1,"ResultStatus":"True",`+
		`"Workload":"Exchange","ObjectId":%q,"UserId":"ann@example.org","Parameters":[%s]}`, hour, hour, operation, object, strings.Join(list, ","))
}

// exchangeRule makes a rule of Set-Thing from what stands under safeguard.
func exchangeRule(detection, safeguard string) string {
	return "title: Thing weakened\nid: 5d0f1c1e-0000-4000-8000-000000000002\nlogsource: {product: m365, service: audit}\ndetection:\n" + detection +
		"\nlevel: high\nsafeguard:\n  entry: thing\n  subject: ObjectId | param.Name\n" + safeguard
}

// played plays records, one batch each, and says of each what was found.
func played(t *testing.T, e *Engine, records ...string) []string {
	t.Helper()
	tx := begin(t, openDB(t))
	var out []string
	for _, record := range records {
		var matches []Match
		decodeAll(t, []byte(record), func(ev *ingest.Event) { matches = e.Match(ev, matches) })
		findings, err := e.Apply(t.Context(), tx, matches)
		if err != nil {
			t.Fatal(err)
		}
		for i := range findings {
			f := &findings[i]
			out = append(out, fmt.Sprintf("%d %s %s %s -%s +%s", f.Time.Hour(), f.State, f.Severity, f.Subject, strings.Join(f.Weak, ","), strings.Join(f.Strong, ",")))
		}
	}
	return out
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

const twoSides = `
  selection: {Operation: Set-Thing}
  weak: [{param.A: false}, {param.B: false}]
  condition: selection and weak`

func TestSidesThatCoverOthers(t *testing.T) {
	for _, c := range []struct {
		strong, weak string
		want         bool
	}{
		{"group: a", "group: a", true},
		{"group: *", "group: a", true},
		{"group: *", "group: *", true},
		{"group: *", "included group: a", false},
		{"group: *", "group", false},
		{"group: a", "group: *", false},
		{"*", "group: a", false},
		{"path *", "path a", false}, // a value that ends so
	} {
		if got := Covers(c.strong, c.weak); got != c.want {
			t.Errorf("%q covers %q: %v, want %v", c.strong, c.weak, got, c.want)
		}
	}
}

// Of more values than are told apart, those beyond are one side, which no value of
// them gives back.
func TestSidesBeyondThoseThatAreToldApart(t *testing.T) {
	e := engineOf(t, nil, exchangeRule(`
  selection: {Operation: Remove-Thing}
  condition: selection`, `
  restored:
    selection: {Operation: Add-Thing}
    condition: selection
  sides:
    member: {lost: items.param.Removed, back: items.param.Added}
`))
	var names []string
	for i := range maxSides + 2 {
		names = append(names, fmt.Sprint("m", i))
	}
	all := strings.Join(names, ";")
	var weak, strong []string
	for _, payload := range []string{
		exchange(1, "Remove-Thing", "x", "Removed", all), exchange(2, "Add-Thing", "x", "Added", all),
		exchange(3, "Add-Thing", "x", "Added", further), // a member of that name is another
	} {
		decodeAll(t, []byte(payload), func(ev *ingest.Event) {
			for _, m := range e.Match(ev, nil) {
				weak, strong = append(weak, m.Finding.Weak...), append(strong, m.Finding.Strong...)
			}
		})
	}
	left := slices.DeleteFunc(weak, func(side string) bool { return slices.Contains(strong, side) })
	if diff := cmp.Diff([]string{"member: " + further}, left); diff != "" || len(strong) != maxSides+1 {
		t.Errorf("%d sides are back, want %d; of those that were lost are left (-want +got):\n%s", len(strong), maxSides+1, diff)
	}
}

// However long a value is, the side that it names is told apart, is one of its name,
// and is one that the ledger stores as it is.
func TestSidesOfLongValues(t *testing.T) {
	e := engineOf(t, nil, exchangeRule(`
  selection: {Operation: Remove-Thing}
  condition: selection`, `
  restored:
    selection: {Operation: Add-Thing}
    condition: selection
  sides:
    filter: {lost: param.Removed, back: param.Added}
`))
	long := strings.Repeat("Ä", maxSide)
	var sides []string
	for _, payload := range []string{
		exchange(1, "Remove-Thing", "x", "Removed", long+"a"), exchange(2, "Remove-Thing", "x", "Removed", long+"b"),
		exchange(3, "Add-Thing", "x", "Added", strings.ToLower(long)+"A"),
	} {
		decodeAll(t, []byte(payload), func(ev *ingest.Event) {
			for _, m := range e.Match(ev, nil) {
				sides = append(append(sides, m.Finding.Weak...), m.Finding.Strong...)
			}
		})
	}
	if len(sides) != 3 || sides[0] == sides[1] || sides[0] != sides[2] {
		t.Fatalf("sides %q, want three, of which only the last is the first", sides)
	}
	for _, side := range sides {
		if !Covers("filter: *", side) || len(side) > 300 {
			t.Errorf("%q is no side of its name, or too long", side)
		}
	}
}

func TestRestoreOfOneSideLeavesTheOther(t *testing.T) {
	e := engineOf(t, nil, exchangeRule(twoSides, `
  restored:
    selection: {Operation: [Set-Thing, New-Thing]}
    condition: selection
  sides:
    a: {weak: {param.A: false}, strong: {param.A: true}}
    b: {weak: {param.B: false}, strong: {param.B: true}}
    member: {lost: param.Removed, back: param.Added}
`))
	expect(t, played(t, e,
		exchange(1, "Set-Thing", "x", "A", "False", "B", "True"),
		exchange(2, "Set-Thing", "x", "B", "False", "Removed", "Q"),
		exchange(3, "Set-Thing", "x", "A", "True"),
		exchange(4, "Set-Thing", "x", "Added", "q"),
		exchange(5, "New-Thing", "x"),
	),
		"1 weakened high x -a +b", "2 weakened high x -b,member: q +", "3 restored high x - +a",
		"4 restored high x - +member: q", "5 restored high x - +")
}

func TestUnknownIsOfASide(t *testing.T) {
	e := engineOf(t, nil, exchangeRule(twoSides, `
  unknown: medium
  restored:
    selection: {Operation: Set-Thing}
    condition: selection
  sides:
    a: {weak: {param.A: false}, strong: {param.A: true}}
    b: {weak: {param.B: false}, strong: {param.B: true}}
`))
	expect(t, played(t, e,
		exchange(2, "Set-Thing", "x", "A", "True"),
		exchange(3, "Set-Thing", "x", "A", "False"),
		exchange(4, "Set-Thing", "x", "B", "False"),
		exchange(1, "Set-Thing", "x", "B", "True"), // late
	),
		"2 restored high x - +a", "3 weakened high x -a +", "4 weakened medium x -b +",
		"4 weakened high x -b +", "1 restored high x - +b")
}

const inventory = `
  selection: {Operation: [Disable-Thing, Add-Member]}
  condition: selection`

func TestWhatIsNotKnownIsHeldUntilItIs(t *testing.T) {
	e := engineOf(t, nil, exchangeRule(inventory, `
  known:
    detection:
      selection: {Operation: New-Thing, param.Encrypts: true}
      condition: selection
    key: {field: param.Name, each: true}
    of: ObjectId
  unknown:
    - level: medium
      detection:
        selection: {ObjectId|contains: encrypt}
        condition: selection
    - level: none
`))
	expect(t, played(t, e,
		exchange(2, "Disable-Thing", "R1"), exchange(3, "Disable-Thing", "encrypt all"), exchange(4, "Disable-Thing", "R2"),
		exchange(5, "New-Thing", "", "Name", "r2", "Encrypts", "True"), // after the weakening: it was not known then
		exchange(1, "New-Thing", "", "Name", "r1", "Encrypts", "True"),
		exchange(6, "Disable-Thing", "R2"),
	),
		"3 weakened medium encrypt all - +", "2 weakened high R1 - +", "6 weakened high R2 - +")
}

func memoryRule(values string) string {
	return exchangeRule("\n  selection: {Operation: Never}\n  condition: selection", `
  memory:
    seen:
      selection: {Operation: Set-Thing}
      condition: selection
    values:
`+values)
}

func TestValuesAreHeldAgainstWhatTheyWere(t *testing.T) {
	e := engineOf(t, map[string][]string{"phi_vaults": {"https://ours.example.org/"}}, memoryRule(`
      set: {field: param.Set, weak: shrank}
      list: {field: param.List, weak: grew}
      days: {field: days.param.Days, weak: lowered, forever: "0"}
      level: {field: param.Level, weak: lowered, order: ['', low, high]}
      vault: {field: host.param.Vault, weak: changed, spare: phi_vaults}
`))
	expect(t, played(t, e,
		exchange(1, "Set-Thing", "x", "Set", "a,b", "List", "p", "Days", "0", "Level", "high", "Vault", "https://first.example.org/k"),
		exchange(2, "Set-Thing", "x", "Set", "B", "List", "p;q", "Days", "90", "Level", "low", "Vault", "https://second.example.org/k"),
		exchange(3, "Set-Thing", "x", "Days", "365"),
		exchange(4, "Set-Thing", "x", "Set", "a;b;c", "List", "p", "Days", "0", "Level", "high", "Vault", "https://first.example.org/v2"),
		exchange(5, "Set-Thing", "x", "Vault", "https://OURS.example.org/k"),
		exchange(6, "Set-Thing", "x", "Unrelated", "1"),
	),
		"2 weakened high x -set: a,list: q,days,level,vault +set: b",
		"3 weakened high x -days +",
		"4 restored high x - +set: a,set: b,set: c,list: q,days,level,vault",
		"5 restored high x - +vault",
	)
}

// An operator's list may have a vault by its id, its address or its name.
func TestVaultsAreSparedHoweverTheyAreListed(t *testing.T) {
	for _, listed := range []string{
		"/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv-ours", "https://kv-ours.vault.azure.net/", "kv-ours.vault.azure.net", "kv-ours",
	} {
		e := engineOf(t, map[string][]string{"phi_vaults": {listed}}, memoryRule(`
      vault: {field: host.param.Vault, weak: changed, spare: phi_vaults}
`))
		expect(t, played(t, e,
			exchange(1, "Set-Thing", "x", "Vault", "https://kv-old.vault.azure.net/keys/k"),
			exchange(2, "Set-Thing", "x", "Vault", "https://KV-Ours.vault.azure.net/keys/k"),
			exchange(3, "Set-Thing", "x", "Vault", "https://kv-ours.managedhsm.azure.net/keys/k"),
		),
			"2 restored high x - +vault",
			"3 weakened high x -vault +",
		)
	}
}

func TestLaterJudgementsOfAnEventHaveAHigherRevision(t *testing.T) {
	e := engineOf(t, nil, memoryRule(`
      vault: {field: param.Vault, weak: changed}
`))
	records := []string{
		exchange(1, "Set-Thing", "x", "Vault", "a"), exchange(2, "Set-Thing", "x", "Vault", "b"),
		exchange(3, "Set-Thing", "x", "Vault", "b"), exchange(4, "Set-Thing", "x", "Vault", "a"),
	}
	want := map[int]State{2: Weakened, 3: Weakened, 4: Restored}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		r.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		got, revision := map[int]State{}, map[int]int{}
		tx := begin(t, openDB(t))
		for _, record := range records {
			var matches []Match
			decodeAll(t, []byte(record), func(ev *ingest.Event) { matches = e.Match(ev, matches) })
			findings, err := e.Apply(t.Context(), tx, matches)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range findings {
				if h := f.Time.Hour(); f.Revision >= revision[h] {
					got[h], revision[h] = f.State, f.Revision
				}
			}
		}
		tx.Rollback()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q (-want +got):\n%s", records, diff)
		}
	}
}

const holds = `
  selection: {Operation: [HoldRemoved, Remove-Hold]}
  condition: selection`

func TestTwinThatKnowsAnotherName(t *testing.T) {
	rule := strings.Replace(exchangeRule(holds, `
  alias:
    names: [param.Name]
    used:
      selection: {Operation: [Remove-Hold, New-Hold]}
      condition: selection
  restored:
    selection: {Operation: New-Hold}
    condition: selection
`), "ObjectId | param.Name", "ObjectId | param.Name", 1)
	e := engineOf(t, nil, rule)
	activity, twin := exchange(1, "HoldRemoved", "case + H", "Name", "H"), exchange(2, "Remove-Hold", "", "Name", "h")
	again := exchange(3, "New-Hold", "", "Name", "H")
	expect(t, played(t, e, activity, twin, again),
		"1 weakened high case + H - +", "2 weakened high case + h - +", "3 restored high case + h - +", "3 restored high H - +")
	expect(t, played(t, e, twin, activity), // what was told of the twin lives on
		"2 weakened high h - +", "1 weakened high h - +")
	expect(t, played(t, e, again, activity),
		"3 restored high H - +", "1 weakened high case + H - +", "3 restored high case + H - +")
}

func TestAttemptsFeedNothing(t *testing.T) {
	e := loadCatalog(t)
	for _, r := range e.Rules() {
		if r.Entry != "kv-key-purged" {
			continue
		}
		record := `{"time":"2026-03-02T10:00:00Z","category":"AuditEvent","operationName":"KeyPurge","resultType":"Success","resultSignature":"Forbidden","correlationId":"c","properties":{"id":"https://v.example.org/deletedkeys/k","httpStatusCode":403},"resourceId":"/SUBSCRIPTIONS/S/VAULTS/V"}`
		decodeAll(t, []byte(record), func(ev *ingest.Event) {
			for _, m := range e.Match(ev, nil) {
				if m.Finding.Rule != nil && m.Finding.Rule.Entry == "kv-key-purged" && (m.feeds != nil || m.Finding.Severity != Medium) {
					t.Errorf("an attempt is %s and feeds %d bytes", m.Finding.Severity, len(m.feeds))
				}
			}
		})
	}
}
