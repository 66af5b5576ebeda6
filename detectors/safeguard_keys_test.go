package detectors

import (
	"strings"
	"testing"
	"testing/fstest"
)

// A mistake in a safeguard key is told in the file's words, where it stands.
func TestMistakesInASafeguardKey(t *testing.T) {
	const rule = `title: a
id: 3b1c9d00-0000-4000-8000-000000000001
logsource: {product: azure, service: auditlogs}
detection: {s: {operationName: x}, condition: s}
safeguard:
  entry: aa
  subject: properties.id
`
	const correlation = `title: c
correlation: {type: temporal_ordered, rules: [aa, aa], group-by: [event.subject], timespan: 1m}
safeguard:
  entry: cc
`
	for name, c := range map[string]struct{ rule, text, want string }{
		"key":             {rule, "  subjct: x", `a/aa.yml:8:3: unknown key "safeguard.subjct"; did you mean "subject"?`},
		"case":            {rule, "  Runbook: [x]", `a/aa.yml:8:3: unknown key "safeguard.Runbook"; did you mean "runbook"?`},
		"nothing near":    {rule, "  wombat: x", `a/aa.yml:8:3: unknown key "safeguard.wombat"; known here: alias, codes, entry, `},
		"part":            {rule, "  name: [{feild: x}]", `a/aa.yml:8:11: unknown key "safeguard.name[0].feild"; did you mean "field"?`},
		"severity":        {rule, "  severity:\n    - levl: low", `a/aa.yml:9:7: unknown key "safeguard.severity[0].levl"; did you mean "level"?`},
		"unknown":         {rule, "  unknown: {levl: low}", `a/aa.yml:8:13: unknown key "safeguard.unknown.levl"; did you mean "level"?`},
		"known":           {rule, "  known: {detecton: {}}", `a/aa.yml:8:11: unknown key "safeguard.known.detecton"; did you mean "detection"?`},
		"known's key":     {rule, "  known: {key: {feld: x}}", `a/aa.yml:8:17: unknown key "safeguard.known.key.feld"; did you mean "field"?`},
		"side":            {rule, "  sides: {tls: {strng: {}}}", `a/aa.yml:8:17: unknown key "safeguard.sides.tls.strng"; did you mean "strong"?`},
		"memory":          {rule, "  memory: {values: {x: {filed: y}}}", `a/aa.yml:8:25: unknown key "safeguard.memory.values.x.filed"; did you mean "field"?`},
		"alias":           {rule, "  alias: {name: [x]}", `a/aa.yml:8:11: unknown key "safeguard.alias.name"; did you mean "names"?`},
		"alias's name":    {rule, "  alias: {names: [[{feld: x}]]}", `a/aa.yml:8:21: unknown key "safeguard.alias.names[0][0].feld"; did you mean "field"?`},
		"lapses":          {rule, "  lapses: {aftr: 8h}", `a/aa.yml:8:12: unknown key "safeguard.lapses.aftr"; did you mean "after"?`},
		"regained":        {rule, "  regained: {lots: x}", `a/aa.yml:8:14: unknown key "safeguard.regained.lots"; did you mean "lost"?`},
		"no list":         {rule, "  codes: MFA", `a/aa.yml:8:10: safeguard.codes: want a list, got "MFA"`},
		"no truth":        {rule, "  incident: maybe", `a/aa.yml:8:13: safeguard.incident: want true or false, got "maybe"`},
		"no text":         {rule, "  outcome: [any]", `a/aa.yml:8:12: safeguard.outcome: want a text, got a list`},
		"no lapse":        {rule, "  lapses: 8h", `a/aa.yml:8:11: safeguard.lapses: want a block of keys, got "8h"`},
		"twice":           {rule, "  entry: bb", `a/aa.yml:8:3: key "safeguard.entry" stands twice; keep one`},
		"one severity":    {rule, "  severity: {level: low}", `a/aa.yml:8:13: safeguard.severity: want a list, got a block of keys`},
		"no block":        {strings.Split(rule, "safeguard")[0], "safeguard: none", `a/aa.yml:5:12: safeguard: want a block of keys, got "none"`},
		"nothing":         {strings.Split(rule, "safeguard")[0], "safeguard:", `a/aa.yml:5:11: safeguard: want a block of keys, got nothing`},
		"no block at all": {strings.Split(rule, "safeguard")[0], "safeguard: [entry]", `a/aa.yml:5:12: safeguard: want a block of keys, got a list`},
		"colon":           {rule, "  runbook:\n    - Look: what is it?", `a/aa.yml:9:7: safeguard.runbook[0]: want a text, got a block of keys; put it in quotes, for it has a colon`},
		"log source":      {rule, "  restored: {logsource: {prodct: azure}, s: {operationName: y}, condition: s}", `a/aa.yml:8:26: unknown key "safeguard.restored.logsource.prodct"; did you mean "product"?`},
		"correlation":     {rule + "---\n" + correlation, "  paarts: [x]", `a/aa.yml:13:3: unknown key "safeguard.paarts"; did you mean "parts"?`},
		"baseline":        {rule + "---\n" + correlation, "  baseline: {dayz: 3}", `a/aa.yml:13:14: unknown key "safeguard.baseline.dayz"; did you mean "days"?`},
		"no number":       {rule + "---\n" + correlation, "  baseline: {days: many}", `a/aa.yml:13:20: safeguard.baseline.days: want a whole number, got "many"`},
		"no real":         {rule + "---\n" + correlation, "  baseline: {times: twice}", `a/aa.yml:13:21: safeguard.baseline.times: want a number, got "twice"`},
		"no baseline":     {rule + "---\n" + correlation, "  baseline: 30", `a/aa.yml:13:13: safeguard.baseline: want a block of keys, got "30"`},
		"parts no list":   {rule + "---\n" + correlation, "  parts: x", `a/aa.yml:13:10: safeguard.parts: want a list, got "x"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(nil, Source{FS: fstest.MapFS{"a/aa.yml": {Data: []byte(c.rule + c.text + "\n")}}})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("error %v\nwant  %s", err, c.want)
			}
		})
	}
}

// Two mistakes are told at once.
func TestAllMistakesInASafeguardKey(t *testing.T) {
	const rule = "title: a\nlogsource: {product: azure, service: auditlogs}\ndetection: {s: {operationName: x}, condition: s}\nsafeguard: {entri: a, subjct: b}\n"
	_, err := Load(nil, Source{FS: fstest.MapFS{"a/aa.yml": {Data: []byte(rule)}}})
	if err == nil || !strings.Contains(err.Error(), `mean "entry"?`) || !strings.Contains(err.Error(), `mean "subject"?`) {
		t.Errorf("error %v", err)
	}
}

func TestAListThatNobodySetIsNamed(t *testing.T) {
	const rule = "title: a\nlogsource: {product: azure, service: auditlogs}\ndetection: {s: {'operationName|expand': '%LIST%'}, condition: s}\nsafeguard: {entry: a, subject: properties.id}\n"
	for list, want := range map[string]string{
		"phi_lables": "a/aa.yml:3:41: placeholder %phi_lables% has no list and matches nothing: set lists.phi_lables in the configuration; did you mean phi_labels?",
		"wards":      "a/aa.yml:3:41: placeholder %wards% has no list and matches nothing: set lists.wards in the configuration",
	} {
		set, err := Load(map[string][]string{"phi_labels": {}, "phi_apps": {}}, Source{FS: fstest.MapFS{"a/aa.yml": {Data: []byte(strings.ReplaceAll(rule, "LIST", list))}}})
		if err != nil {
			t.Fatal(err)
		}
		if len(set.Warnings) != 1 || set.Warnings[0].Error() != want {
			t.Errorf("warnings %v\nwant %s", set.Warnings, want)
		}
	}
}

func TestAListOfAComputedFieldThatNobodySetIsNamed(t *testing.T) {
	const rule = "title: a\nlogsource: {product: azure, service: auditlogs}\ndetection: {s: {'unlisted.phi_lables.properties.id|exists': true}, condition: s}\n" +
		"safeguard: {entry: a, subject: properties.id, regained: {lost: properties.x, now: properties.y, order: label_order}}\n"
	set, err := Load(map[string][]string{"phi_labels": {}, "label_order": {}}, Source{FS: fstest.MapFS{"a/aa.yml": {Data: []byte(rule)}}})
	if err != nil {
		t.Fatal(err)
	}
	want := "a/aa.yml:1:1: the rule reads list phi_lables, which is not set: set lists.phi_lables in the configuration; did you mean phi_labels?"
	if len(set.Warnings) != 1 || set.Warnings[0].Error() != want {
		t.Errorf("warnings %v\nwant %s", set.Warnings, want)
	}
}

func TestAnEntryTwiceIsToldWithBothPlaces(t *testing.T) {
	const rule = "title: a\nid: ID\nlogsource: {product: azure, service: auditlogs}\ndetection: {s: {operationName: x}, condition: s}\nsafeguard:\n  subject: properties.id\n  entry: same\n"
	_, err := Load(nil, Source{FS: fstest.MapFS{
		"a/one.yml": {Data: []byte(strings.Replace(rule, "ID", "3b1c9d00-0000-4000-8000-000000000001", 1))},
		"a/two.yml": {Data: []byte("# another\n" + strings.Replace(rule, "ID", "3b1c9d00-0000-4000-8000-000000000002", 1))},
	}})
	if want := `a/two.yml:8:10: entry "same" is also defined in a/one.yml:7: `; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// What every event has is suggested where a record has no such field.
func TestACorrelationIsToldOfTheFieldOfEvents(t *testing.T) {
	const base = "title: a\nname: a\nlogsource: {product: azure, service: auditlogs}\ndetection: {s: {operationName: x}, condition: s}\n---\ntitle: c\n" +
		"correlation: {type: event_count, rules: [a], group-by: [actor], timespan: 1m, condition: {gte: 2}}\n"
	_, err := Load(nil, Source{FS: fstest.MapFS{"a/aa.yml": {Data: []byte(base)}}})
	if want := `did you mean "event.actor", which every event has?`; err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "properties.actor") {
		t.Errorf("error %v, want %s", err, want)
	}
}
