#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "models/checkpoint/checkpoint.h"

// Whatever the bytes are, a checkpoint is read or refused by an exception that says why.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace upbench;
  try {
    const Checkpoint checkpoint = read_checkpoint(data, size, "input");
    tensor_hash(checkpoint.tensors);                                        // looks at every byte
    return checkpoint.format == std::string_view(UPBENCH_FORMAT) ? 0 : -1;  // -1: no input for this target
  } catch (const std::invalid_argument&) {
  } catch (const std::runtime_error&) {
  }
  return 0;
}
