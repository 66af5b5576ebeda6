package sigma

import (
	"slices"
	"sync"
)

// node is a part of a compiled condition.
type node interface {
	match(ev Event) bool
	// requires lists what must be present for the node to hold, all of it; never
	// is true when it cannot hold at all.
	requires() (all []clause, never bool)
	explain(ev Event) Explanation
}

type (
	andNode struct {
		label label
		parts []node
	}
	orNode struct {
		label label
		parts []node
	}
	notNode   struct{ part node }
	fieldNode struct {
		label label
		slot  int
		// tests are joined by or in groups, and the groups by and. Without the
		// modifier all there is one group.
		groups [][]tester
		reqs   []Requirement
		never  bool
	}
	nullNode struct {
		slot  int
		label label
	}
	existsNode struct {
		slot  int
		want  bool
		label label
	}
	refNode struct {
		label       label
		slot, other int
		place       string
		cased       bool
	}
	keywordNode struct {
		label  label
		groups [][]tester
		reqs   []Requirement
		never  bool
	}
)

// label says where a node comes from, for explanations.
type label struct {
	text  string
	line  int
	field string
}

func (n *andNode) match(ev Event) bool {
	for _, p := range n.parts {
		if !p.match(ev) {
			return false
		}
	}
	return true
}

func (n *orNode) match(ev Event) bool {
	for _, p := range n.parts {
		if p.match(ev) {
			return true
		}
	}
	return false
}

func (n *notNode) match(ev Event) bool { return !n.part.match(ev) }

func (n *fieldNode) match(ev Event) bool {
	values := ev.Values(n.slot)
	if len(values) == 0 {
		return false
	}
	for _, g := range n.groups {
		if !anyMatches(g, values) {
			return false
		}
	}
	return true
}

func anyMatches(tests []tester, values []Value) bool {
	for _, t := range tests {
		for _, v := range values { //nolint:modernize // a method value for each test costs more than the loop
			if t.test(v) {
				return true
			}
		}
	}
	return false
}

func (n *nullNode) match(ev Event) bool {
	values := ev.Values(n.slot)
	return !present(values) || slices.ContainsFunc(values, func(v Value) bool { return v.Kind == Null })
}

func (n *existsNode) match(ev Event) bool { return present(ev.Values(n.slot)) == n.want }

func present(values []Value) bool {
	for _, v := range values {
		if v.Kind != Missing {
			return true
		}
	}
	return false
}

func (n *refNode) match(ev Event) bool {
	others := ev.Values(n.other)
	for _, v := range ev.Values(n.slot) {
		for _, o := range others {
			if v.hasText() && o.hasText() && placeTest(n.place, v.Text, o.Text, n.cased) {
				return true
			}
		}
	}
	return false
}

// keywordScan is the state of one search through the strings of an event. It is
// pooled together with its callback, so that a search allocates nothing.
type keywordScan struct {
	groups [][]tester
	found  []bool
	left   int
	yield  func(string) bool
}

var keywordScans = sync.Pool{New: func() any {
	s := &keywordScan{}
	s.yield = s.look
	return s
}}

func (s *keywordScan) look(text string) bool {
	v := Value{String, text}
	for i, g := range s.groups {
		if s.found[i] {
			continue
		}
		for _, t := range g {
			if t.test(v) {
				s.found[i] = true
				s.left--
				break
			}
		}
	}
	return s.left > 0
}

func (n *keywordNode) match(ev Event) bool {
	s := keywordScans.Get().(*keywordScan)
	s.groups, s.left = n.groups, len(n.groups)
	s.found = append(s.found[:0], make([]bool, len(n.groups))...)
	ev.Keywords(s.yield)
	left := s.left
	s.groups = nil
	keywordScans.Put(s)
	return left == 0
}
