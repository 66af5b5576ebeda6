package detectors

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// restoreParts adds what restores parts of violations to what the batch is found
// to be. Of many restores of a part the first ones and the last ones do.
func (c *correlator) restoreParts(j journal, findings []Finding) ([]Finding, error) {
	var by []*correlation
	for _, n := range c.nodes {
		if n.parted() && n.reports {
			by = append(by, n.key.group.restoring...)
		}
	}
	if len(by) == 0 {
		return findings, nil
	}
	heard := map[string][]heardPart{}
	for _, m := range c.matches {
		if err := hearParts(heard, by, m); err != nil {
			return nil, err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(heard)) {
		list := heard[key]
		slices.SortFunc(list, func(a, b heardPart) int { return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.event, b.event)) })
		if n := len(list); n > 2*ends {
			list = slices.Concat(list[:ends], list[n-ends:])
		}
		for i := range list {
			found, err := list[i].restore(j)
			if err != nil {
				return nil, fmt.Errorf("restore a part of %s: %w", list[i].by.rule.Entry, err)
			}
			findings = append(findings, found...)
		}
	}
	return findings, nil
}

// ends is of how many restores of a part, from each end of a batch, account is taken.
const ends = 8

// heardPart is an event that restores a part.
type heardPart struct {
	feedMeta
	by    *correlation
	part  string
	proof Evidence
}

func hearParts(heard map[string][]heardPart, by []*correlation, m *Match) error {
	r := reader{b: m.feeds}
	bare := r
	if r.block(); len(r.b) == 0 {
		return nil
	}
	for len(r.b) > 0 {
		e := r.entry()
		if r.bad {
			return errFeed
		}
		i := slices.IndexFunc(by, func(c *correlation) bool { return c.id == e.to })
		if i < 0 || len(e.value) == 0 {
			continue
		}
		again := bare
		h := heardPart{feedMeta: again.meta(), by: by[i], proof: m.Finding.Evidence}
		h.part = storable(h.tenant + string(e.value))
		key := h.by.rule.Entry + keySep + h.part
		heard[key] = append(heard[key], h)
	}
	return nil
}

// keptStrong is how long what restored nothing is kept.
const keptStrong = lateness + outpaced

// restore keeps that a part was restored, and returns what is so restored: of
// each violation the first restore after the part was last added, and those that
// arrive late.
func (h *heardPart) restore(j journal) ([]Finding, error) {
	row := strongPart{entry: h.by.rule.Entry, part: h.part, at: h.at}
	var err error
	row.data, err = json.Marshal(provenEvent{Time: time.UnixMicro(h.at).UTC(), EventID: h.event, Action: h.action, Actor: h.actor, ActorIP: h.actorIP})
	if err != nil {
		return nil, err
	}
	of, err := j.weakened(row.entry, row.part, h.at)
	if err != nil {
		return nil, err
	}
	var out []Finding
	for i := range of {
		p := &of[i]
		if h.at > p.added {
			known, err := j.strengthened(row.entry, row.part, p.added)
			if err != nil {
				return nil, err
			}
			if len(known) > 0 && known[0].at < h.at {
				continue
			}
		}
		f, err := h.by.partRestored(p, &row)
		if err != nil {
			return nil, err
		}
		f.Evidence.Enqueued, f.Evidence.Position = h.proof.Enqueued, h.proof.Position
		out = append(out, f)
	}
	return out, j.strengthen(&row, h.seen-keptStrong.Microseconds())
}

// partRestored tells that a part of a violation is over: when it was restored,
// or the moment after it was found weak though it no longer was.
func (c *correlation) partRestored(p *weakPart, r *strongPart) (Finding, error) {
	rule, at := &c.rule.Meta, r.at
	if at > p.added {
		at = max(at, p.told+1)
	}
	var of partOf
	var by provenEvent
	if err := errors.Join(json.Unmarshal(p.data, &of), json.Unmarshal(r.data, &by)); err != nil {
		return Finding{}, fmt.Errorf("read a part of %s: %w", p.entry, err)
	}
	side := partSide(p.part)
	when := time.UnixMicro(at).UTC()
	f := Finding{
		Rule: rule, State: Restored, Tenant: of.Tenant, Subject: of.Subject, Name: of.Name, Severity: rule.Severity, Time: when, Strong: []string{side},
		Evidence: Evidence{
			EventID: strings.Join([]string{"correlation", p.entry, groupID(p.subject), by.EventID, groupID(side)}, "/"),
			Kind:    kindOfEvent(by.EventID), Action: by.Action, Actor: by.Actor, ActorIP: by.ActorIP, Time: when,
		},
	}
	f.Evidence.Record, _ = json.Marshal(map[string]any{"correlation": p.entry, "subject": of.Subject, "restored": by}) // texts and times only
	return f, nil
}
