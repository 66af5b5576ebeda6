package alerting

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// violationKey is a ViolationID in bytes, which are as good as random.
type violationKey [16]byte

func keyOf(id string) (violationKey, error) {
	var k violationKey
	if len(id) != hex.EncodedLen(len(k)) {
		return k, fmt.Errorf("violation id %q is not of 32 digits", id)
	}
	if _, err := hex.Decode(k[:], []byte(id)); err != nil {
		return k, fmt.Errorf("violation id %q: %w", id, err)
	}
	return k, nil
}

// bloom is a Bloom filter: what was added is found; of what was not, 1 in
// 1,700 is found all the same once the filter is full.
type bloom struct {
	bits  []uint64 // a power of two
	count int
	size  int // how many make it full
}

const (
	bloomBits   = 16 // for each key, at least
	bloomProbes = 8
)

func newBloom(size int) *bloom {
	words := 1
	for words*64 < size*bloomBits {
		words *= 2
	}
	return &bloom{bits: make([]uint64, words), size: words * 64 / bloomBits}
}

func (b *bloom) add(k violationKey) {
	at, step := binary.LittleEndian.Uint64(k[:]), binary.LittleEndian.Uint64(k[8:])|1
	for range bloomProbes {
		bit := at & uint64(len(b.bits)*64-1)
		b.bits[bit/64] |= 1 << (bit % 64)
		at += step
	}
	b.count++
}

func (b *bloom) has(k violationKey) bool {
	at, step := binary.LittleEndian.Uint64(k[:]), binary.LittleEndian.Uint64(k[8:])|1
	for range bloomProbes {
		bit := at & uint64(len(b.bits)*64-1)
		if b.bits[bit/64]&(1<<(bit%64)) == 0 {
			return false
		}
		at += step
	}
	return true
}

func (b *bloom) full() bool { return b.count >= b.size }

// blooms is a Bloom filter that grows: each part holds as much as all before it.
type blooms []*bloom

func (bs *blooms) add(k violationKey) {
	if bs.has(k) {
		return
	}
	if n := len(*bs); n == 0 || (*bs)[n-1].full() {
		*bs = append(*bs, newBloom(4096<<n))
	}
	(*bs)[len(*bs)-1].add(k)
}

func (bs blooms) has(k violationKey) bool {
	for _, b := range bs {
		if b.has(k) {
			return true
		}
	}
	return false
}
