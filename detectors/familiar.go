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
// A key is remembered by 50 bits of its hash or more: one that is new is taken for
// a known one in less than one of 10¹² events.
//
// has may be called concurrently with everything; the rest is Apply's, which is
// serial.
type familiar struct {
	seed  maphash.Seed
	words atomic.Pointer[[]atomic.Uint64] // by hash: 40 bits of it, and the hour since when

	own    map[uint64]int64 // of the transaction, which may be rolled back
	filled int              // of words
}

const (
	leastFamiliar = 1 << 10 // words, a power of two: few are close to the processor
	mostFamiliar  = 1 << 16
	hourBits      = 24
	hourMask      = 1<<hourBits - 1
)

func newFamiliar() *familiar {
	k := &familiar{seed: maphash.MakeSeed(), own: map[uint64]int64{}}
	k.empty(leastFamiliar)
	return k
}

// empty makes room for a number of words.
func (k *familiar) empty(size int) {
	words := make([]atomic.Uint64, size)
	k.words.Store(&words)
	k.filled = 0
}

// word returns where a key of some hash has its place.
func (k *familiar) word(hash uint64) *atomic.Uint64 {
	words := *k.words.Load()
	return &words[hash&uint64(len(words)-1)]
}

// has reports whether a key is known since at or before, which is not asked of
// the hour in which it was first seen.
func (k *familiar) has(key []byte, at int64) bool {
	hash := k.hash(key)
	word := k.word(hash).Load()
	return word != 0 && word>>hourBits == hash>>hourBits && int64(word&hourMask) <= hourAt(at)
}

// hash is that of a key, for note.
func (k *familiar) hash(key []byte) uint64 { return maphash.Bytes(k.seed, key) }

// begin forgets what the last transaction stored, unless it was committed.
func (k *familiar) begin() { clear(k.own) }

// note remembers that the transaction stores a key, or finds it stored.
func (k *familiar) note(hash uint64, since int64) {
	if first, ok := k.own[hash]; !ok || since < first {
		k.own[hash] = since
	}
}

// commit takes what the transaction stored as known. A key takes the place of
// another; where there are many, there is more room from then on, at first empty.
func (k *familiar) commit() {
	if size := len(*k.words.Load()); k.filled > size/2 && size < mostFamiliar {
		k.empty(4 * size)
	}
	for hash, since := range k.own {
		hour := hourAt(since + time.Hour.Microseconds() - 1)
		if hour > 0 && hour <= hourMask && k.word(hash).Swap(hash>>hourBits<<hourBits|uint64(hour)) == 0 {
			k.filled++
		}
	}
	clear(k.own)
}

// forget forgets everything.
func (k *familiar) forget() {
	clear(k.own)
	k.empty(leastFamiliar)
}
