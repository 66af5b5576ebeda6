package fields

import (
	"strings"

	"phiwatch/ingest"
)

// allGuests stands among the users of a policy for every kind of guest, of whatever
// tenant. So policies were written once; the portal writes them anew, with the kinds
// one by one, when they are next saved.
const allGuests = "GuestsOrExternalUsers"

// guestKinds are those of learn.microsoft.com/graph/api/resources/conditionalaccessguestsorexternalusers.
var guestKinds = []string{
	"internalGuest", "b2bCollaborationGuest", "b2bCollaborationMember", "b2bDirectConnectUser", "otherExternalUser", "serviceProvider",
}

// guestsNamed adds to the values of a member that is of guests those that it has since
// all of them are named among the users.
func (m *member) guestsNamed(values []string, ev *ingest.Event, now bool) []string {
	for i := range m.users {
		path := m.users[i].before
		if now {
			path = m.users[i].now
		}
		for text := range texts(ev, path) {
			if !strings.EqualFold(strings.TrimSpace(text), allGuests) {
				continue
			}
			all := guestKinds
			if m.guest != nil {
				all = []string{every}
			}
			for _, v := range all {
				if !listsName(values, v) {
					values = append(values, v)
				}
			}
		}
	}
	return values
}
