#pragma once

#include <exception>
#include <functional>
#include <string>

namespace upbench {

// What an exception says about the device it came from.
enum class DeviceFault {
  none,           // nothing: the work itself failed, the next trial may go on
  out_of_memory,  // less at a time may fit
  lost,  // sticky (device assert, ECC, illegal address, GPU gone): every later call fails; the worker
         // must end, the store is untouched
};

// device: "cpu", "cuda:0". Where the exception alone does not say, the device is asked, which waits for it.
DeviceFault device_fault(const std::exception& error, const std::string& device);

// By CUDA runtime error code, for exceptions that carry one.
DeviceFault fault_of_cuda_error(int code);

// From the exception alone; host memory as well.
bool is_out_of_memory(const std::exception& error);

// The first line for people, without LibTorch's backtrace and advice.
std::string device_error_text(const std::exception& error);

// Calls attempt(batch), then with half of it (rounded up) and so on down to 1 as long as memory runs out; in
// between the exception is gone, with the tensors it kept alive, and memory that LibTorch keeps cached is
// given back. make_room is asked each time to give back what else is held, and says whether there was
// anything: then the same batch is tried once more before it is halved. on_smaller hears of each smaller
// batch. Returns the batch that worked; what fails at 1, and every other exception, is thrown. attempt()
// keeps the results independent of the batch.
int with_shrinking_batch(int batch, const std::string& device, const std::function<void(int)>& attempt,
                         const std::function<void(int smaller)>& on_smaller = {},
                         const std::function<bool()>& make_room = {});

}  // namespace upbench
