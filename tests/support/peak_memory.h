#pragma once

#include <cstdint>
#include <functional>

namespace upbench::test {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kIsInstrumented = true;  // keeps what was freed
#else
constexpr bool kIsInstrumented = false;
#endif

// By how many megabytes the peak of resident memory grows in a process that does this; -1: it failed.
std::int64_t peak_megabytes(const std::function<void()>& work);

}  // namespace upbench::test
