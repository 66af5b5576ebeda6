package fields

import "testing"

func TestDays(t *testing.T) {
	for in, want := range map[string]int{
		"2190": 2190, "7.00:00:00": 7, "23:59:59": 0, "SevenYears": 2555, "SixMonths": 180, "NinetyDays": -1, "P7Y": 2555, "P90D": 90,
		"Unlimited": unlimitedDays, "": -1, "soon": -1, "PT5H": -1, "OneYear": 365,
		"7 Years": 2555, "1 year": 365, "30days": 30, "1095 Days": 1095, "many years": -1, "years": -1,
	} {
		got, ok := Days(in)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("Days(%q) = %d, want %d", in, got, want)
		}
	}
}
