#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/fuzz/checksums.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

// libFuzzer's own mutation; of eight, seven with checksums that are right again, for a reader that refuses
// a wrong one sees nothing behind it.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 8 != 0) upbench::test::UPBENCH_REPAIR({data, size});
  return size;
}
