#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "models/checkpoint/checkpoint.h"
#include "tests/models/checkpoint/torch_bytes.h"

namespace {

void read(const std::string& file, std::string_view param_key) {
  try {
    upbench::tensor_hash(upbench::read_checkpoint(file.data(), file.size(), "input", param_key).tensors);
  } catch (const std::invalid_argument&) {
  } catch (const std::runtime_error&) {
  }
}

}  // namespace

// The bytes are the data.pkl of a sound archive: a fuzzer cannot guess the CRC-32 that keeps it from getting
// this far in a whole file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace upbench::test;
  const std::string file = torch_zip_bytes({reinterpret_cast<const char*>(data), size}, six_floats());
  read(file, "");
  read(file, "params");
  return 0;
}
