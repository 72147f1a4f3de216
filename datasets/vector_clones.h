#pragma once

// Before a function whose loops the compiler vectorises: it is compiled for several instruction sets, and the
// program takes the widest that the machine has when it starts. Results may differ in the last bits (fused
// multiply-add).
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define UPBENCH_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define UPBENCH_VECTOR_CLONES
#endif
