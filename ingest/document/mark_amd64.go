package document

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// markBlocks marks blocks of 64 bytes from text on: it writes the offset of
// each mark, counted from base at text, to at, and returns how many there are.
// Behind the last one it may write up to 64 offsets of no meaning.
//
//go:noescape
func markBlocks(text *byte, blocks int, at *uint32, base uint32) int

// markBlocks512 is markBlocks for processors with AVX-512 VBMI2 (Intel since
// Ice Lake, AMD since Zen 4), three times as fast.
//
//go:noescape
func markBlocks512(text *byte, blocks int, at *uint32, base uint32) int

// wide says that markBlocks512 can be used.
var wide = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VBMI2

// fillFast marks as much of text as it can do fast. It returns how many bytes
// that were, and how many marks.
func (w *window) fillFast(text []byte, base uint32) (done, marks int) {
	blocks := len(text) / 64
	switch {
	case blocks > windowSize/64:
		return 0, 0
	case wide:
		return blocks * 64, markBlocks512(unsafe.SliceData(text), blocks, &w.at[0], base)
	}
	return blocks * 64, markBlocks(unsafe.SliceData(text), blocks, &w.at[0], base)
}
