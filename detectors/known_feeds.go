package detectors

import "slices"

// What is nothing as far as is known feeds no correlation, until it turns out to be
// something.

// feeds returns what f, which is nothing as far as is known, is to correlations.
func (k *knowing) feeds(f *Finding) []byte {
	if !f.Hide {
		return nil // it is told, and feeds, at once
	}
	if k.hidden == nil {
		k.hidden = map[identity][]byte{}
		for _, m := range k.matches {
			if m.Finding.Hide {
				k.hidden[identityOf(&m.Finding)] = m.feeds
			}
		}
	}
	return k.hidden[identityOf(f)]
}

// identity tells a finding from the others of its batch.
type identity struct {
	entry, event, subject string
	state                 State
}

func identityOf(f *Finding) identity {
	return identity{f.Rule.Entry, f.Evidence.EventID, f.Subject, f.State}
}

// dropHidden leaves out the matches that are nothing as far as is known, so that they
// feed no correlation: weak values of what may never have been strong, and restores
// that give too little back. findings are what was settled of them.
func (e *Engine) dropHidden(matches []*Match, findings []Finding) []*Match {
	doubtful := func(m *Match) bool {
		if m.Finding.Rule == nil || m.Finding.State != Restored {
			return m.Finding.Hide
		}
		r := e.byEntry[m.Finding.Rule.Entry]
		return r != nil && r.regained != nil
	}
	if !slices.ContainsFunc(matches, doubtful) {
		return matches
	}
	idOf := func(f *Finding) identity {
		id := identityOf(f)
		if r := e.byEntry[f.Rule.Entry]; r != nil && r.alias != nil {
			id.subject = "" // it may be another by now
		}
		return id
	}
	shown := map[identity]bool{}
	for i := range findings {
		if !slices.Equal(findings[i].Strong, []string{NoSide}) {
			shown[idOf(&findings[i])] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(matches), func(m *Match) bool { return doubtful(m) && !shown[idOf(&m.Finding)] })
}
