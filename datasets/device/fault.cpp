#include "datasets/device/fault.h"

#include <array>
#include <new>
#include <string_view>

#include <c10/core/Device.h>
#include <c10/util/Exception.h>

#include "datasets/device/memory.h"
#include "datasets/device/stream.h"

namespace upbench {
namespace {

// Of the CUDA runtime (driver_types.h): after these the process cannot use the device any more.
constexpr std::array kStickyErrors = {
    100,  // no device (it was there before)
    214,  // uncorrectable ECC
    220,  // uncorrectable NVLink
    226,  // contained
    700,  // illegal address
    702,  // launch timeout
    709,  // context destroyed
    710,  // device assert
    714,  // hardware stack error
    715,  // illegal instruction
    716,  // misaligned address
    717,  // invalid address space
    718,  // invalid program counter
    719,  // launch failure
    721,  // tensor memory leak
    806,  // MPS server's connection failed
    810,  // MPS client terminated
    911,  // external device
    999,  // unknown: what a GPU that fell off the bus gives
};
constexpr int kMemoryAllocation = 2;

// Libraries above the runtime turn its errors into text of their own.
constexpr std::array<std::string_view, 6> kMemoryTexts = {
    "ALLOC_FAILED",       // CUBLAS_STATUS_, CUSOLVER_STATUS_
    "ALLOCATION_FAILED",  // CUDNN_STATUS_INTERNAL_ERROR_DEVICE_, _HOST_
    // A convolution whose work area found no memory with any of cuDNN's algorithms ends so: "GET was ...",
    // "FIND was ...". One that cuDNN has no algorithm for does as well, and is tried again in vain.
    "unable to find an engine to execute this computation", "out of memory", "can't allocate memory",
    "not enough memory"};

// Asked twice: the first answer may be an error that passes, left over from an earlier call.
bool answers(const c10::Device& device) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      synchronize_device(device);
      return true;
    } catch (const std::exception&) {
      continue;
    }
  }
  return false;
}

}  // namespace

DeviceFault fault_of_cuda_error(int code) {
  if (code == kMemoryAllocation) return DeviceFault::out_of_memory;
  for (const int sticky : kStickyErrors)
    if (code == sticky) return DeviceFault::lost;
  return DeviceFault::none;
}

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) || dynamic_cast<const c10::OutOfMemoryError*>(&error))
    return true;
  if (const auto* coded = dynamic_cast<const c10::AcceleratorError*>(&error))
    return fault_of_cuda_error(coded->get_error_code()) == DeviceFault::out_of_memory;
  if (!dynamic_cast<const c10::Error*>(&error)) return false;
  const std::string text = device_error_text(error);
  for (const std::string_view part : kMemoryTexts)
    if (text.find(part) != std::string::npos) return true;
  return false;
}

DeviceFault device_fault(const std::exception& error, const std::string& device) {
  if (is_out_of_memory(error)) return DeviceFault::out_of_memory;
  const auto* coded = dynamic_cast<const c10::AcceleratorError*>(&error);
  if (coded && fault_of_cuda_error(coded->get_error_code()) == DeviceFault::lost) return DeviceFault::lost;
  const c10::Device of(device);
  return of.is_cpu() || answers(of) ? DeviceFault::none : DeviceFault::lost;
}

std::string device_error_text(const std::exception& error) {
  const auto* torch = dynamic_cast<const c10::Error*>(&error);
  const std::string text = torch ? torch->what_without_backtrace() : error.what();
  return text.substr(0, text.find('\n'));
}

int with_shrinking_batch(int batch, const std::string& device, const std::function<void(int)>& attempt,
                         const std::function<void(int smaller)>& on_smaller,
                         const std::function<bool()>& make_room) {
  for (bool had_room_made = false;;) {
    bool again = false;
    try {
      attempt(batch);
      return batch;
    } catch (const std::exception& error) {
      if (!is_out_of_memory(error)) throw;
      again = make_room && make_room() && !had_room_made;
      if (batch <= 1 && !again) throw;
    }
    // Out of the handler: nothing of the failed attempt is alive here.
    had_room_made = had_room_made || again;
    if (!again) batch = (batch + 1) / 2;
    release_cached_memory(device);
    if (!again && on_smaller) on_smaller(batch);
  }
}

}  // namespace upbench
