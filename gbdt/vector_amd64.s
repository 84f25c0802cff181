#include "textflag.h"

// func cpuid(leaf, subleaf uint32) (a, b, c, d uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-24
	MOVL leaf+0(FP), AX
	MOVL subleaf+4(FP), CX
	CPUID
	MOVL AX, a+8(FP)
	MOVL BX, b+12(FP)
	MOVL CX, c+16(FP)
	MOVL DX, d+20(FP)
	RET

// func xgetbv() uint32
TEXT ·xgetbv(SB), NOSPLIT, $0-4
	XORL CX, CX
	XGETBV
	MOVL AX, ret+0(FP)
	RET

// STEP applies the step in AX (where the ranks are), Y8 (rank) and Y9 (keep) to 32 rows: a rank that is not above gives a
// byte of ones.
#define STEP(offset, plane, temp) \
	VPMINUB  offset(DI)(AX*1), Y8, temp \
	VPCMPEQB offset(DI)(AX*1), temp, temp \
	VPOR     Y9, temp, temp \
	VPAND    temp, plane, plane

// LOWEST turns the plane's bytes into the number of the lowest leaf, 255 if none is left, and takes it to leaf if it is
// below.
#define LOWEST(plane, leaf) \
	VPAND   Y15, plane, Y13 \
	VPSHUFB Y13, Y11, Y13 \
	VPSRLW  $4, plane, plane \
	VPAND   Y15, plane, plane \
	VPSHUFB plane, Y12, plane \
	VPMINUB Y13, plane, plane \
	VPMINUB plane, leaf, leaf

// func scanAVX2(ranks *uint8, step *scanStep, count *[scanPlanes]uint32, planes int, leaf *[scanRows]uint8)
TEXT ·scanAVX2(SB), NOSPLIT, $0-40
	MOVQ ranks+0(FP), DI
	MOVQ step+8(FP), SI
	MOVQ count+16(FP), BX
	MOVQ planes+24(FP), DX
	MOVQ leaf+32(FP), R8
	LEAQ scanLow<>(SB), R9
	MOVL $0x0f0f0f0f, AX
	VMOVD AX, X15
	VPBROADCASTD X15, Y15
	VPCMPEQB Y4, Y4, Y4
	VMOVDQA Y4, Y5
	VMOVDQA Y4, Y6
	VMOVDQA Y4, Y7

plane:
	VPCMPEQB Y0, Y0, Y0
	VMOVDQA Y0, Y1
	VMOVDQA Y0, Y2
	VMOVDQA Y0, Y3
	MOVL (BX), CX
	TESTL CX, CX
	JZ   lowest

step:
	MOVL (SI), AX
	VPBROADCASTB 4(SI), Y8
	VPBROADCASTB 5(SI), Y9
	STEP(0, Y0, Y10)
	STEP(32, Y1, Y11)
	STEP(64, Y2, Y12)
	STEP(96, Y3, Y13)
	ADDQ $8, SI
	DECL CX
	JNZ  step

lowest:
	VBROADCASTI128 (R9), Y11
	VBROADCASTI128 16(R9), Y12
	LOWEST(Y0, Y4)
	LOWEST(Y1, Y5)
	LOWEST(Y2, Y6)
	LOWEST(Y3, Y7)
	ADDQ $32, R9
	ADDQ $4, BX
	DECQ DX
	JNZ  plane

	VMOVDQU Y4, (R8)
	VMOVDQU Y5, 32(R8)
	VMOVDQU Y6, 64(R8)
	VMOVDQU Y7, 96(R8)
	VZEROUPPER
	RET

// For each plane the number of the lowest leaf by the low half of a byte, then by the high half; 255 if it has none.
DATA scanLow<>+0(SB)/8, $0x00010002000100ff
DATA scanLow<>+8(SB)/8, $0x0001000200010003
DATA scanLow<>+16(SB)/8, $0x04050406040504ff
DATA scanLow<>+24(SB)/8, $0x0405040604050407
DATA scanLow<>+32(SB)/8, $0x0809080a080908ff
DATA scanLow<>+40(SB)/8, $0x0809080a0809080b
DATA scanLow<>+48(SB)/8, $0x0c0d0c0e0c0d0cff
DATA scanLow<>+56(SB)/8, $0x0c0d0c0e0c0d0c0f
DATA scanLow<>+64(SB)/8, $0x10111012101110ff
DATA scanLow<>+72(SB)/8, $0x1011101210111013
DATA scanLow<>+80(SB)/8, $0x14151416141514ff
DATA scanLow<>+88(SB)/8, $0x1415141614151417
DATA scanLow<>+96(SB)/8, $0x1819181a181918ff
DATA scanLow<>+104(SB)/8, $0x1819181a1819181b
DATA scanLow<>+112(SB)/8, $0x1c1d1c1e1c1d1cff
DATA scanLow<>+120(SB)/8, $0x1c1d1c1e1c1d1c1f
DATA scanLow<>+128(SB)/8, $0x20212022202120ff
DATA scanLow<>+136(SB)/8, $0x2021202220212023
DATA scanLow<>+144(SB)/8, $0x24252426242524ff
DATA scanLow<>+152(SB)/8, $0x2425242624252427
DATA scanLow<>+160(SB)/8, $0x2829282a282928ff
DATA scanLow<>+168(SB)/8, $0x2829282a2829282b
DATA scanLow<>+176(SB)/8, $0x2c2d2c2e2c2d2cff
DATA scanLow<>+184(SB)/8, $0x2c2d2c2e2c2d2c2f
DATA scanLow<>+192(SB)/8, $0x30313032303130ff
DATA scanLow<>+200(SB)/8, $0x3031303230313033
DATA scanLow<>+208(SB)/8, $0x34353436343534ff
DATA scanLow<>+216(SB)/8, $0x3435343634353437
DATA scanLow<>+224(SB)/8, $0x3839383a383938ff
DATA scanLow<>+232(SB)/8, $0x3839383a3839383b
DATA scanLow<>+240(SB)/8, $0x3c3d3c3e3c3d3cff
DATA scanLow<>+248(SB)/8, $0x3c3d3c3e3c3d3c3f
GLOBL scanLow<>(SB), RODATA|NOPTR, $256
