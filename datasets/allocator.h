#pragma once

namespace upbench {

// Keeps memory that is given back for the next request instead of returning it to the kernel. Tensors above
// glibc's 32 MiB limit would otherwise be mapped, zeroed by the kernel and unmapped again at every layer: a
// third to a half of the time of some networks. To be called once at the start of a program, before other
// threads; the program's memory then stays at its peak. Does nothing where the C library is not glibc.
void keep_freed_memory();

}  // namespace upbench
