#include "textflag.h"

// SSE2 only, which every amd64 has.

// STOPS sets the 16 marks of the bytes at off(SI).
#define STOPS(off, to) \
	MOVOU    off(SI), X0 \
	MOVO     X0, X1      \
	MOVO     X0, X2      \
	MOVO     X0, X3      \
	PCMPEQB  X5, X1      \ // quote
	PCMPEQB  X6, X2      \ // backslash
	PMINUB   X7, X3      \
	PCMPEQB  X0, X3      \ // at most 0x1f
	POR      X1, X2      \
	POR      X2, X3      \
	PMOVMSKB X3, AX      \
	MOVW     AX, to(DI)

// func markBlocks(raw, marks *byte, blocks int)
TEXT ·markBlocks(SB), NOSPLIT, $0-24
	MOVQ       raw+0(FP), SI
	MOVQ       marks+8(FP), DI
	MOVQ       blocks+16(FP), CX
	MOVQ       $0x2222222222222222, AX
	MOVQ       AX, X5
	PUNPCKLQDQ X5, X5
	MOVQ       $0x5c5c5c5c5c5c5c5c, AX
	MOVQ       AX, X6
	PUNPCKLQDQ X6, X6
	MOVQ       $0x1f1f1f1f1f1f1f1f, AX
	MOVQ       AX, X7
	PUNPCKLQDQ X7, X7
	TESTQ      CX, CX
	JLE        done

loop:
	STOPS(0, 0)
	STOPS(16, 2)
	STOPS(32, 4)
	STOPS(48, 6)
	ADDQ $64, SI
	ADDQ $8, DI
	DECQ CX
	JNZ  loop

done:
	RET
