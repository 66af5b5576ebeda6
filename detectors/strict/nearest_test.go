package strict

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	known := []string{"CA", "CA-APPS", "ca-policy-disabled", "label-removed"}
	for word, want := range map[string]string{
		"ca": "CA", "ca-apps": "CA-APPS", "label-remved": "label-removed", "labelr-emoved": "label-removed", "ca-policy-dsiabled": "ca-policy-disabled",
		"nope": "", "": "", strings.Repeat("x", 1<<20): "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%.20s is taken for %q, want %q", word, got, want)
		}
	}
}
