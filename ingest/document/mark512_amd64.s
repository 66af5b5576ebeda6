#include "textflag.h"

DATA iota64<>+0(SB)/8, $0x0706050403020100
DATA iota64<>+8(SB)/8, $0x0f0e0d0c0b0a0908
DATA iota64<>+16(SB)/8, $0x1716151413121110
DATA iota64<>+24(SB)/8, $0x1f1e1d1c1b1a1918
DATA iota64<>+32(SB)/8, $0x2726252423222120
DATA iota64<>+40(SB)/8, $0x2f2e2d2c2b2a2928
DATA iota64<>+48(SB)/8, $0x3736353433323130
DATA iota64<>+56(SB)/8, $0x3f3e3d3c3b3a3938
GLOBL iota64<>(SB), RODATA|NOPTR, $64

// SIXTEEN writes sixteen offsets: those of the bytes in a quarter of Z1.
#define SIXTEEN(part, off) \
	VEXTRACTI32X4 $part, Z1, X2 \
	VPMOVZXBD     X2, Z2        \
	VPADDD        Z16, Z2, Z2   \
	VMOVDQU32     Z2, off(DI)

// The marks of a block are a mask; compressing the numbers 0 to 63 by it leaves
// the offsets side by side.
//
// func markBlocks512(text *byte, blocks int, at *uint32, base uint32) int
TEXT ·markBlocks512(SB), NOSPLIT, $0-40
	MOVQ text+0(FP), SI
	MOVQ blocks+8(FP), CX
	MOVQ at+16(FP), DI
	MOVL base+24(FP), DX
	VPBROADCASTD DX, Z16
	MOVL $0x22222222, AX
	VPBROADCASTD AX, Z17
	MOVL $0x5c5c5c5c, AX
	VPBROADCASTD AX, Z18
	MOVL $0x20202020, AX
	VPBROADCASTD AX, Z19
	MOVL $64, AX
	VPBROADCASTD AX, Z20
	VMOVDQU64 iota64<>(SB), Z21
	TESTQ CX, CX
	JLE  done

block:
	PREFETCHT0 2048(SI) // the next window: it comes while this one is parsed
	VMOVDQU64 (SI), Z0
	VPCMPEQB  Z17, Z0, K1     // quote
	VPCMPEQB  Z18, Z0, K2     // backslash
	VPCMPUB   $1, Z19, Z0, K3 // below 0x20
	KORQ      K1, K2, K1
	KORQ      K1, K3, K1
	KMOVQ     K1, R8
	POPCNTQ   R8, R9
	VPCOMPRESSB.Z Z21, K1, Z1
	VPMOVZXBD X1, Z2
	VPADDD    Z16, Z2, Z2
	VMOVDQU32 Z2, (DI)
	CMPQ      R9, $16
	JHI       more

next:
	LEAQ   (DI)(R9*4), DI
	VPADDD Z20, Z16, Z16
	ADDQ   $64, SI
	DECQ   CX
	JNZ    block

done:
	VZEROUPPER
	SUBQ at+16(FP), DI
	SHRQ $2, DI
	MOVQ DI, ret+32(FP)
	RET

more:
	SIXTEEN(1, 64)
	SIXTEEN(2, 128)
	SIXTEEN(3, 192)
	JMP next
