package fields

import (
	"strings"

	"phiwatch/ingest"
)

// who is how correlations know whoever did something, whichever log tells of it: a
// person by name, which all logs have, and an application by its object id, since one
// log has its display name and another its client id.
func who(ev *ingest.Event) string {
	p := &ev.Actor
	switch {
	case p.Name != "" && (p.Type == "User" || strings.Contains(p.Name, "@")), p.ID == "":
		return p.Name
	}
	return p.ID
}
