package detectors

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

// familiar tells Match what the database is known to have been told already, so
// that it is not said again with every event: people sign in from where they
// always do. It is filled when transactions are committed and forgets at will;
// what it forgets is told once more.
//
// A key is remembered by 56 bits of its hash: one that is new is taken for a
// known one in less than one of 10¹² events.
//
// Has may be called concurrently with everything; the rest is Apply's, which is
// serial.
type familiar struct {
	seed  maphash.Seed
	words [1 << familiarBits]atomic.Uint64 // by hash: 40 bits of it, and the hour since when

	own map[uint64]int64 // of the transaction, which may be rolled back
}

const (
	familiarBits = 16
	hourBits     = 24
	hourMask     = 1<<hourBits - 1
)

func newFamiliar() *familiar {
	return &familiar{seed: maphash.MakeSeed(), own: map[uint64]int64{}}
}

// has reports whether a key is known since at or before, which is not asked of
// the hour in which it was first seen.
func (k *familiar) has(key []byte, at int64) bool {
	h := maphash.Bytes(k.seed, key)
	word := k.words[h&(1<<familiarBits-1)].Load()
	return word != 0 && word>>hourBits == h>>hourBits && int64(word&hourMask) <= hourAt(at)
}

// begin forgets what the last transaction stored, unless it was committed.
func (k *familiar) begin() { clear(k.own) }

// note remembers that the transaction stores the key, or finds it stored.
func (k *familiar) note(hash uint64, since int64) {
	if first, ok := k.own[hash]; !ok || since < first {
		k.own[hash] = since
	}
}

// hash is that of a key, for note.
func (k *familiar) hash(key []byte) uint64 { return maphash.Bytes(k.seed, key) }

// commit takes what the transaction stored as known. A key takes the place of
// another.
func (k *familiar) commit() {
	for h, since := range k.own {
		if hour := hourAt(since + time.Hour.Microseconds() - 1); hour > 0 && hour <= hourMask {
			k.words[h&(1<<familiarBits-1)].Store(h>>hourBits<<hourBits | uint64(hour))
		}
	}
	clear(k.own)
}

// forget forgets everything.
func (k *familiar) forget() {
	clear(k.own)
	for i := range k.words {
		k.words[i].Store(0)
	}
}
