package fields

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/hospital"
)

// What a derived field says is said on one of its grounds, whole and in part.
func TestDerivedFieldsSayNothingWithoutGrounds(t *testing.T) {
	fields := new(sigma.Fields)
	for name := range derivations {
		fields.Slot("mapped." + name)
	}
	table, err := Compile(fields, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := groundChecker{t: t, fields: table, rng: rand.New(rand.NewPCG(6, 6)), checked: map[string]int{}}
	day, pool := hospital.New(6), groundValues()
	dec := ingest.NewDecoder()
	for range 3000 {
		var record map[string]any
		if err := json.Unmarshal(day.Record(time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)), &record); err != nil {
			t.Fatal(err)
		}
		hospital.Mutate(c.rng, record, pool)
		if c.rng.IntN(3) == 0 {
			record["operationName"] = pool[c.rng.IntN(len(pool))]
		}
		if properties, ok := record["properties"].(map[string]any); ok && c.rng.IntN(3) == 0 {
			properties["riskEventType"] = pool[c.rng.IntN(len(pool))]
		}
		body, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		dec.Decode(ingest.Message{Body: body}, c.check, func(ingest.Quarantined) {})
	}
	for _, name := range slices.Sorted(maps.Keys(derivationsByName)) {
		if c.checked[name] == 0 {
			t.Errorf("mapped.%s: nothing was checked", name)
		}
	}
}

// groundValues are texts that derived fields know.
func groundValues() []any {
	return []any{nil, 0, 50053, "50057", "2", "Other clients", "imap4", "mcasImpossibleTravel", "MCASx", "deviceCode", "deviceCodeFlow", "BAV2ROPC", " Success. ", "…",
		"Action", "write", "ServicePrincipal", "LoginException", "Triggered PIM alert", "Add member to role outside of PIM (permanent)", "There are too many global administrators",
		"Update application – Certificates and secrets management ", "Update application", "Update İt.", "Update \n\"user\"", "Update user", "microsoft.authorization/elevateAccess/action", "KeyCreate", "SecretSet",
		`[{"displayName":"UserType","oldValue":"[\"Guest\"]","newValue":"a\nb"}]`, []any{map[string]any{"displayName": `User"T\ype`, "oldValue": "\"[]\"", "newValue": "x\t\u0001,y"}},
		"Add eligiBle member to role permanent..", "Reset password", "Remove member from group  ", "\u212aeyCreate", "AdvancedHunting-AlertInfo"}
}

type groundChecker struct {
	t       *testing.T
	fields  *Table
	ev      *ingest.Event
	rng     *rand.Rand
	checked map[string]int
}

func (c *groundChecker) check(ev *ingest.Event) {
	c.ev = ev
	for slot, field := range c.fields.list {
		if _, ok := derivationOf(field); !ok {
			continue
		}
		for _, v := range c.values(slot) {
			text, end := v.AppendKeys(nil)
			whole := string(text[:end])
			c.one(ev, field, sigma.Requirement{Slot: slot, Kind: sigma.Exact, Values: []string{whole}})
			runes := []rune(whole)
			from := c.rng.IntN(len(runes))
			part := string(runes[from : from+1+c.rng.IntN(len(runes)-from)])
			c.one(ev, field, sigma.Requirement{Slot: slot, Kind: sigma.Substring, Values: []string{part}})
		}
	}
}

func (c *groundChecker) values(slot int) []sigma.Value {
	return c.fields.Append(nil, c.ev, slot)
}

func (c *groundChecker) one(ev *ingest.Event, field string, r sigma.Requirement) {
	list := c.fields.instead(r)
	if list == nil {
		return
	}
	c.checked[strings.TrimPrefix(field, "mapped.")]++
	if !slices.ContainsFunc(list, c.meets) {
		c.t.Errorf("%s: %v is said without grounds, by\n%s", field, r, ev.Doc.Raw())
	}
}

func (c *groundChecker) meets(r sigma.Requirement) bool {
	return slices.ContainsFunc(c.values(r.Slot), func(v sigma.Value) bool {
		text, end := v.AppendKeys(nil)
		return r.Kind == sigma.Present && v.Kind != sigma.Missing || slices.ContainsFunc(r.Values, func(want string) bool {
			return want == string(text[:end]) || r.Kind == sigma.Substring && strings.Contains(string(text[:end]), want)
		})
	})
}
