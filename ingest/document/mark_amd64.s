#include "textflag.h"

// SSE2 only, which every amd64 has. TZCNT is BSF on processors that do not
// know it, and gives the same but for zero, where it does not matter.

// STOPS makes each byte of MASK 0xff where that at off(SI) is a mark.
#define STOPS(off, MASK) \
	MOVOU   off(SI), X0 \
	MOVO    X0, X1      \
	MOVO    X0, X2      \
	MOVO    X0, MASK    \
	PCMPEQB X5, X1      \ // quote
	PCMPEQB X6, X2      \ // backslash
	PMINUB  X7, MASK    \
	PCMPEQB X0, MASK    \ // at most 0x1f
	POR     X1, MASK    \
	POR     X2, MASK

// UNPACK writes the offset of the lowest bit of R8 and clears it.
#define UNPACK(off) \
	TZCNTQ R8, AX       \
	ADDL   DX, AX       \
	MOVL   AX, off(DI)  \
	LEAQ   -1(R8), BX   \
	ANDQ   BX, R8

// func markBlocks(text *byte, blocks int, at *uint32, base uint32) int
TEXT ·markBlocks(SB), NOSPLIT, $0-40
	MOVQ       text+0(FP), SI
	MOVQ       blocks+8(FP), CX
	MOVQ       at+16(FP), DI
	MOVL       base+24(FP), DX
	MOVQ       $0x2222222222222222, AX
	MOVQ       AX, X5
	PUNPCKLQDQ X5, X5
	MOVQ       $0x5c5c5c5c5c5c5c5c, AX
	MOVQ       AX, X6
	PUNPCKLQDQ X6, X6
	MOVQ       $0x1f1f1f1f1f1f1f1f, AX
	MOVQ       AX, X7
	PUNPCKLQDQ X7, X7
	PXOR       X13, X13
	TESTQ      CX, CX
	JLE        done

block:
	PREFETCHT0 2048(SI) // the next window: it comes while this one is parsed
	STOPS(0, X8)
	STOPS(16, X9)
	STOPS(32, X10)
	STOPS(48, X11)
	PMOVMSKB X8, R8
	PMOVMSKB X9, R9
	PMOVMSKB X10, R10
	PMOVMSKB X11, R11
	SHLQ     $16, R9
	SHLQ     $32, R10
	SHLQ     $48, R11
	ORQ      R9, R8
	ORQ      R11, R10
	ORQ      R10, R8

	// R9 becomes how many marks there are: the bytes of the masks are 0 and -1.
	PADDB  X9, X8
	PADDB  X11, X10
	PADDB  X10, X8
	PXOR   X12, X12
	PSUBB  X8, X12
	PSADBW X13, X12
	PSHUFD $0xee, X12, X14
	PADDQ  X14, X12
	MOVQ   X12, R9

	// Eight without a branch; few blocks have more.
	UNPACK(0)
	UNPACK(4)
	UNPACK(8)
	UNPACK(12)
	UNPACK(16)
	UNPACK(20)
	UNPACK(24)
	UNPACK(28)
	LEAQ (DI)(R9*4), R12
	TESTQ R8, R8
	JZ   next

more:
	UNPACK(32)
	ADDQ  $4, DI
	TESTQ R8, R8
	JNZ   more

next:
	MOVQ R12, DI
	ADDL $64, DX
	ADDQ $64, SI
	DECQ CX
	JNZ  block

done:
	SUBQ at+16(FP), DI
	SHRQ $2, DI
	MOVQ DI, ret+32(FP)
	RET
