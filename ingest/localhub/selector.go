package localhub

import (
	"fmt"
	"regexp"
	"strconv"

	"phiwatch/ingest/localhub/internal/amqp"
)

// selectorFilter names the filter that carries a consumer's start position.
const selectorFilter = "apache.org:selector-filter:string"

// selectors have one comparison of one annotation, as every SDK writes them.
var selectors = regexp.MustCompile(
	`^\s*amqp\.annotation\.(x-opt-offset|x-opt-sequence-number|x-opt-enqueued-time)\s*(>=|>)\s*'([^']*)'\s*$`)

// selector is a start position: the first event that it admits, and all after.
type selector struct {
	annotation string
	value      int64
	inclusive  bool
	latest     bool
}

// earliest admits every event.
var earliest = selector{annotation: annotationOffset, value: -1}

func parseSelector(s string) (selector, error) {
	m := selectors.FindStringSubmatch(s)
	if m == nil {
		return selector{}, fmt.Errorf("the filter %.200q is not understood", s)
	}
	sel := selector{annotation: m[1], inclusive: m[2] == ">="}
	if m[3] == "@latest" && m[1] == annotationOffset {
		sel.latest = true
		return sel, nil
	}
	v, err := strconv.ParseInt(m[3], 10, 64)
	if err != nil {
		return selector{}, fmt.Errorf("the value %.100q of the filter is not a number", m[3])
	}
	sel.value = v
	return sel, nil
}

// sourceSelector finds the selector in the encoded source of an attach.
func sourceSelector(source []byte) (selector, error) {
	f, err := amqp.Composite(source, amqp.SourceType)
	if err != nil {
		return selector{}, err
	}
	for range 7 { // up to the filter set, its eighth field
		f.Skip()
	}
	filters := f.Map()
	if err := f.Err(); err != nil {
		return selector{}, err
	}
	v, ok := filters[selectorFilter].(string)
	if !ok {
		return earliest, nil
	}
	return parseSelector(v)
}

func (s selector) admits(m *message) bool {
	v := s.of(m)
	return v > s.value || s.inclusive && v == s.value
}

// of is what the selector compares of an event.
func (s selector) of(m *message) int64 {
	switch s.annotation {
	case annotationSequence:
		return m.sequence
	case annotationEnqueued:
		return m.enqueued
	}
	return m.offset
}
