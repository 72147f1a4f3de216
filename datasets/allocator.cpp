#include "datasets/allocator.h"

#include <cstdlib>  // declares __GLIBC__

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace upbench {

void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);         // every size comes from the heap, none from a mapping of its own
  mallopt(M_TRIM_THRESHOLD, -1);  // and the heap never shrinks
  mallopt(M_TOP_PAD, 64 << 20);   // it grows in steps of 64 MiB
  mallopt(M_ARENA_MAX, 1);        // one heap for all threads: a thread's own arena holds at most 64 MiB
#endif
}

}  // namespace upbench
