package fields

import (
	"fmt"
	"strings"
)

// newTold reads what Azure was asked for or, where the request is silent about it,
// what the answer says is so. Most records hold one of the two, and body reads it;
// one that holds both tells by its answer what a request of only some properties
// leaves as it is.
func newTold(arg string, _ map[string][]string) (computed, error) {
	of, path, found := strings.Cut(arg, ".")
	if !found || of != "body" || path == "" {
		return nil, fmt.Errorf("%q: write body.PATH", arg)
	}
	return newPaths("properties.requestbody."+path+" | properties.responseBody."+path, false)
}
