package fields

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phiwatch/ingest"
)

// told returns the values of a computed field for a record.
func told(t *testing.T, field string, record map[string]any) []string {
	t.Helper()
	c, err := compute(field, nil)
	if err != nil || c == nil {
		t.Fatalf("compute(%q): %v", field, err)
	}
	body, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	n := ingest.NewDecoder().Decode(ingest.Message{Body: body}, func(ev *ingest.Event) {
		for _, v := range c.append(nil, ev) {
			out = append(out, v.Text)
		}
	}, func(q ingest.Quarantined) { t.Fatal(q.Detail) })
	if n != 1 {
		t.Fatalf("the record is %d events", n)
	}
	return out
}

func TestPlacesOfAPolicy(t *testing.T) {
	const lost, back = "places_lost.Exchange,Teams", "places_back.Exchange,Teams"
	for command, want := range map[string]struct{ lost, back []string }{
		`-RemoveExchangeLocation ("a@example.org","b@example.org") -RemoveTeamsLocation All`: {
			lost: []string{"Exchange a@example.org", "Exchange b@example.org", "Teams All"},
		},
		`-RemoveExchangeLocation "a;b"`:                                        {lost: []string{"Exchange a", "Exchange b"}},
		`-RemoveExchangeLocation ("a") -AddExchangeLocation ("all")`:           {back: []string{"Exchange all"}},
		`-RemoveExchangeLocation ("a") -AddTeamsLocation ("All")`:              {lost: []string{"Exchange a"}, back: []string{"Teams All"}},
		`-RemoveExchangeLocation All -AddExchangeLocation "a"`:                 {lost: []string{"Exchange All"}, back: []string{"Exchange a"}},
		`-AddExchangeLocationException "a" -RemoveExchangeLocationException b`: {lost: []string{"Exchange except a"}, back: []string{"Exchange except b"}},
		`-Name "P" -ExchangeLocation ("All")`:                                  {back: []string{"Exchange All"}},
		`-RemoveExchangeLocation () -AddExchangeLocation $null`:                {},
		`-RemoveExchangeLocation ("") -AddExchangeLocation ""`:                 {},
		`-RemoveSharePointLocation All`:                                        {},
		`-RemoveExchangeLocation ("a","[...]`:                                  {lost: []string{"Exchange a", "Exchange [...]"}},
	} {
		record := map[string]any{"CreationTime": "2026-03-02T09:00:00", "Operation": "Set-DlpCompliancePolicy", "RecordType": 18, "Workload": "SecurityComplianceCenter", "Parameters": command}
		if diff := cmp.Diff(want.lost, told(t, lost, record)); diff != "" {
			t.Errorf("lost by %s (-want +got):\n%s", command, diff)
		}
		if diff := cmp.Diff(want.back, told(t, back, record)); diff != "" {
			t.Errorf("back by %s (-want +got):\n%s", command, diff)
		}
	}
}

func TestLongListsOfPlacesComeBackAsAWhole(t *testing.T) {
	places := make([]string, 200)
	for i := range places {
		places[i] = fmt.Sprintf("%q", fmt.Sprintf("ward%d@example.org", i))
	}
	tell := func(field, command string, places []string) []string {
		return told(t, field+".Exchange", map[string]any{"CreationTime": "2026-03-02T09:00:00", "Operation": "Set-LabelPolicy", "RecordType": 18, "Workload": "SecurityComplianceCenter",
			"Parameters": command + " (" + strings.Join(places, ",") + ")"})
	}
	lost := tell("places_lost", "-RemoveExchangeLocation", places)
	if len(lost) != maxPlaces+1 {
		t.Errorf("%d places are told of a long list", len(lost))
	}
	slices.Reverse(places)
	if diff := cmp.Diff(lost, tell("places_back", "-AddExchangeLocation", places)); diff != "" {
		t.Errorf("the same list in another order (-lost +back):\n%s", diff)
	}
	if back := tell("places_back", "-AddExchangeLocation", places[1:]); slices.Contains(back, lost[maxPlaces]) {
		t.Errorf("a part of the list puts all of it back: %q", back)
	}
}

func TestPlacesNeedWorkloads(t *testing.T) {
	if c, err := compute("places_lost.Exchange,", nil); err == nil {
		t.Errorf("compute gave %v", c)
	}
}
