package fields

import "testing"

func TestAddressesAreAsSharePointWritesThem(t *testing.T) {
	for text, want := range map[string]string{
		"https://example.sharepoint.com/sites/ward/Shared%20Documents/Plan%20%231.docx": "https://example.sharepoint.com/sites/ward/Shared Documents/Plan #1.docx",
		"https://example.sharepoint.com/sites/ward/Shared Documents/Plan.docx":          "https://example.sharepoint.com/sites/ward/Shared Documents/Plan.docx",
		"https://example.sharepoint.com/sites/ward/Shared Documents/Panel 50% a+b.xlsx": "https://example.sharepoint.com/sites/ward/Shared Documents/Panel 50% a+b.xlsx",
		`C:\Users\ann\Dose%20A.docx`: `C:\Users\ann\Dose%20A.docx`,
	} {
		if got := plainAddress(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
