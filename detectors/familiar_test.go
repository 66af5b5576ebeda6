package detectors

import (
	"fmt"
	"testing"
	"time"

	"phiwatch/ingest"
)

// What a committed transaction stored is not fed again; what is of another value
// or of a time before is, and so is everything that was rolled back or forgotten.
func TestWhatIsFamiliarIsNotFedAgain(t *testing.T) {
	e, db := newEngine(t, setOf(t, specialSet)), openDB(t)
	feeds := func(line string) (n int) {
		t.Helper()
		for _, payload := range script(line) {
			decodeAll(t, []byte(payload), func(ev *ingest.Event) {
				for _, m := range e.Match(ev, nil) {
					n += len(m.feeds)
				}
			})
		}
		return n
	}
	whole := feeds("100 Read ann a")
	expect := func(line string, fed bool, why string) {
		t.Helper()
		if got := feeds(line) == whole; got != fed {
			t.Errorf("%q is fed whole: %v, want %v: %s", line, got, fed, why)
		}
	}
	applyBatch(t, e, db, false, script("0 Read ann a")...)
	applyBatch(t, e, db, true) // a batch of nothing, which is committed
	e.Committed()
	expect("100 Read ann a", true, "its transaction was rolled back, whatever was committed since")
	applyBatch(t, e, db, true, script("0 Read ben a")...)
	expect("100 Read ann a", true, "its transaction was rolled back")
	expect("100 Read ben a", true, "nobody told that its transaction was committed")
	e.Committed()
	expect("100 Read ben a", false, "it is known")
	expect("100 Read ann a", true, "the transaction before was rolled back")
	expect("100 Read ben b", true, "another value is new")
	expect("-100 Read ben a", true, "it is earlier than what is known")
	applyBatch(t, e, db, true, script(fmt.Sprint(int(keepSeen.Minutes())+60, " Read eve e"))...)
	expect("100 Read ben a", true, "the database forgot it")
}

// A key is known from the hour on that begins after it was first seen, whatever
// else shares its place.
func TestFamiliar(t *testing.T) {
	k := newFamiliar()
	at := time.Date(2026, 9, 14, 8, 30, 0, 0, time.UTC)
	micro := func(d time.Duration) int64 { return at.Add(d).UnixMicro() }
	for range 3 { // it makes room, and learns again
		for i := range 3000 {
			k.note(k.hash(fmt.Append(nil, "key", i)), micro(0))
		}
		k.commit()
	}
	known := 0
	for i := range 3000 {
		key := fmt.Append(nil, "key", i)
		if k.has(key, micro(time.Hour)) {
			known++
		}
		if k.has(key, micro(20*time.Minute)) {
			t.Fatalf("%s is known in the hour in which it was first seen", key)
		}
		if k.has(fmt.Append(nil, "other", i), micro(time.Hour)) {
			t.Fatalf("other%d is known and was never noted", i)
		}
	}
	if known < 2400 { // a few share a place
		t.Errorf("%d of 3000 keys are known", known)
	}
	k.forget()
	once := k.hash([]byte("once"))
	for _, since := range []time.Duration{0, -2 * time.Hour, -time.Hour} {
		k.note(once, micro(since))
	}
	k.commit()
	if !k.has([]byte("once"), micro(-time.Hour)) || k.has([]byte("once"), micro(-3*time.Hour)) {
		t.Error("what was noted several times is not known since the earliest")
	}
	k.forget()
	if k.has([]byte("once"), micro(time.Hour)) {
		t.Error("what was forgotten is known")
	}
}
