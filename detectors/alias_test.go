package detectors

import (
	"strings"
	"testing"

	"phiwatch/ingest"
)

// inSite is a rule of files that are restored by records of their site.
const inSite = `
  alias:
    names: [param.Site]
    used:
      selection: {Operation: Set-Site}
      condition: selection
    only: restored
  restored:
    selection: {Operation: [Set-Site, Move-File]}
    condition: selection
  regained:
    lost: param.Label
    now: first.param.Label | param.NewLabel
    order: label_order
    enough:
      selection: {Operation: Move-File}
      condition: selection
`

func siteEngine(t *testing.T) *Engine {
	return engineOf(t, map[string][]string{"label_order": {"low", "mid", "high"}}, exchangeRule(`
  selection: {Operation: Add-File}
  condition: selection`, inSite))
}

func TestRecordOfASiteRestoresItsFiles(t *testing.T) {
	expect(t, played(t, siteEngine(t),
		exchange(1, "Add-File", "s/1", "Site", "s", "Label", "high"),
		exchange(2, "Add-File", "s/2", "Site", "S", "Label", "mid"),
		exchange(3, "Add-File", "t/3", "Site", "t", "Label", "low"),
		exchange(4, "Set-Site", "s", "Site", "s", "Label", "low"),
		exchange(5, "Set-Site", "s", "Site", "s", "NewLabel", "mid"),
		exchange(6, "Set-Site", "s", "Site", "s", "Label", "other"),
		exchange(9, "Set-Site", "s", "Site", "s", "Label", "high"),
		exchange(8, "Add-File", "s/4", "Site", "s", "Label", "high"),  // late
		exchange(10, "Add-File", "s/5", "Site", "s", "Label", "high"), // after the site's label
		exchange(11, "Move-File", "s/5", "Site", "s"),
	),
		"1 weakened high s/1 - +", "2 weakened high s/2 - +", "3 weakened high t/3 - +",
		"5 restored high s/2 - +",
		"9 restored high s/1 - +", "9 restored high s/2 - +",
		"8 weakened high s/4 - +", "9 restored high s/4 - +",
		"10 weakened high s/5 - +", "11 restored high s/5 - +")
}

func TestWhatWasNeverWeakIsNotKept(t *testing.T) {
	e := siteEngine(t)
	tx := begin(t, openDB(t))
	apply := func(record string) {
		t.Helper()
		if _, err := e.Apply(t.Context(), tx, matchesOf(t, e, record)); err != nil {
			t.Fatal(err)
		}
	}
	rows := func(table string) (n int) {
		t.Helper()
		if err := tx.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	apply(exchange(1, "Move-File", "s/1", "Site", "s"))
	if a, r := rows("aliases"), rows("regained"); a+r != 0 {
		t.Errorf("a file that was moved leaves %d names and %d restores", a, r)
	}
	apply(exchange(2, "Set-Site", "s", "Site", "s", "Label", "mid"))
	if w, r := rows("alias_waiting"), rows("regained"); w != 1 || r != 1 {
		t.Errorf("a site's label waits for files in %d rows and is kept in %d, want 1 and 1", w, r)
	}
	apply(strings.Replace(exchange(3, "Set-Site", "t", "Site", "t", "Label", "mid"), "03-02", "03-09", 1))
	if w, r := rows("alias_waiting"), rows("regained"); w != 1 || r != 1 {
		t.Errorf("a week later the first label is not forgotten: %d rows wait and %d are kept, want 1 and 1", w, r)
	}
}

func matchesOf(t *testing.T, e *Engine, record string) []Match {
	t.Helper()
	var matches []Match
	decodeAll(t, []byte(record), func(ev *ingest.Event) { matches = e.Match(ev, matches) })
	return matches
}

func TestWhatWasToldByAnotherNameIsRestoredByWhoseItTurnsOutToBe(t *testing.T) {
	e := engineOf(t, nil, exchangeRule(holds, `
  alias:
    names: [param.Name]
    used:
      selection: {Operation: [Remove-Hold, New-Hold]}
      condition: selection
  restored:
    selection: {Operation: [New-Hold, HoldCreated]}
    condition: selection
`))
	day := func(record, day string) string { return strings.Replace(record, "03-02", "03-"+day, 1) }
	expect(t, played(t, e,
		exchange(1, "Remove-Hold", "", "Name", "h"),
		day(exchange(2, "New-Hold", "", "Name", "other"), "12"),
		day(exchange(3, "HoldCreated", "case", "Name", "H"), "22"),
		day(exchange(4, "Remove-Hold", "", "Name", "h"), "23"),
		day(exchange(5, "HoldRemoved", "case"), "24"), // which does not say its name
		day(exchange(6, "HoldCreated", "case"), "25"),
	),
		"1 weakened high h - +",
		"2 restored high other - +",
		"3 restored high h - +", "3 restored high case - +",
		"4 weakened high h - +",
		"5 weakened high h - +",
		"6 restored high h - +", "6 restored high case - +")
}

func TestAliasMistakes(t *testing.T) {
	for only, want := range map[string]string{
		"weakened": `safeguard.alias: only: "weakened": use restored, or leave it out`,
	} {
		_, err := loadThing(exchangeRule(holds, "  alias: {names: [ObjectId], only: "+only+", used: {selection: {Operation: x}, condition: selection}}\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
