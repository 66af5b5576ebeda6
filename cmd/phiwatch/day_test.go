package main

import (
	"testing"
	"time"
)

// However many records the day has, all of them happen in it, one after the other.
func TestDayHoldsAnyNumberOfRecords(t *testing.T) {
	for _, n := range []int{1, 4000, 200_000, 50_000_000} {
		if first, half, last := intoDay(0, n), intoDay(n/2, n), intoDay(n-1, n); first != 0 || half < 11*time.Hour && n > 1 || last < half || last >= 24*time.Hour {
			t.Errorf("%d records: the first after %s, one in the middle after %s, the last after %s", n, first, half, last)
		}
	}
}
