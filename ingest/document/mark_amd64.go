package document

import "unsafe"

// markBlocks marks blocks of 64 bytes from text on: it writes the offset of
// each mark, counted from base at text, to at, and returns how many there are.
// Behind the last one it may write up to eight offsets of no meaning.
//
//go:noescape
func markBlocks(text *byte, blocks int, at *uint32, base uint32) int

// fillFast marks as much of text as it can do fast. It returns how many bytes
// that were, and how many marks.
func (w *window) fillFast(text []byte, base uint32) (done, marks int) {
	blocks := len(text) / 64
	if blocks > windowSize/64 {
		return 0, 0
	}
	return blocks * 64, markBlocks(unsafe.SliceData(text), blocks, &w.at[0], base)
}
