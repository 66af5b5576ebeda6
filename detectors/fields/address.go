package fields

import (
	"net/url"
	"strings"
)

// plainAddress is the address of a file as SharePoint's records have it: those of
// Office's desktop apps escape it, as in Shared%20Documents. A name may have a
// percent sign of its own, which then begins no escape.
func plainAddress(address string) string {
	if !strings.Contains(address, "://") || !strings.Contains(address, "%") {
		return address
	}
	if plain, err := url.PathUnescape(address); err == nil {
		return plain
	}
	return address
}
