package document

import "unsafe"

// markBlocks is markWords for blocks of 64 bytes.
//
//go:noescape
func markBlocks(raw, marks *byte, blocks int)

// markMany marks as much of raw as it can do fast, and returns how many bytes
// that were: a multiple of 8.
func markMany(raw, marks []byte) int {
	blocks := len(raw) / 64
	if blocks > 0 && len(marks) >= blocks*8 {
		markBlocks(unsafe.SliceData(raw), unsafe.SliceData(marks), blocks)
	}
	return blocks * 64
}
