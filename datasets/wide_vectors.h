#pragma once

// Loops written in vectors stand in files of their own that are compiled once for each width of vectors,
// UPBENCH_LANES numbers of 32 bit: 16 (AVX-512), 8 (AVX2), 4 (any processor). What they are made of stands in
// a namespace of that width, between UPBENCH_WIDE_VECTORS_BEGIN and _END, where no header may be included.
// (UPBENCH_VECTOR_CLONES would come too late: GCC splits vectors before it clones functions.)
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && UPBENCH_LANES > 4
#define UPBENCH_PRAGMA(text) _Pragma(#text)
#define UPBENCH_TARGET_PRAGMA(name) UPBENCH_PRAGMA(GCC target(name))
#if UPBENCH_LANES == 16
#define UPBENCH_LANES_TARGET "arch=x86-64-v4"
#else
#define UPBENCH_LANES_TARGET "arch=x86-64-v3"
#endif
#define UPBENCH_VECTOR_TARGET \
  UPBENCH_LANES  // whose instructions may be named (macros like __AVX2__ do not tell)
#define UPBENCH_WIDE_VECTORS_BEGIN _Pragma("GCC push_options") UPBENCH_TARGET_PRAGMA(UPBENCH_LANES_TARGET)
#define UPBENCH_WIDE_VECTORS_END _Pragma("GCC pop_options")
#else
#define UPBENCH_WIDE_VECTORS_BEGIN
#define UPBENCH_WIDE_VECTORS_END
#endif

// What is inlined into loops, functions and, behind their parameters, lambdas: without it their arrays would
// leave the registers.
#define UPBENCH_IN_PLACE __attribute__((always_inline))
#define UPBENCH_ALWAYS_INLINE UPBENCH_IN_PLACE inline

namespace upbench {

// How many numbers the vectors of this processor hold: 16, 8, or 0 where neither AVX-512 nor AVX2 is there.
int vector_lanes();
// From now on no wider ones, 16, 8 or 0; to compare them. Networks already bound must not be run then.
void limit_vector_lanes(int lanes);

}  // namespace upbench
