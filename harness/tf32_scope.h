#pragma once

#include <string>

namespace upbench {

// TF32 on or off for what a GPU computes until the end of the scope. LibTorch's switch is one for the
// process: who wants it otherwise waits until nobody needs it as it is, so that GPUs beside each other
// compute alike cells together and others one after the other.
class Tf32Scope {
 public:
  Tf32Scope(const std::string& device, bool on);
  ~Tf32Scope();
  Tf32Scope(const Tf32Scope&) = delete;
  Tf32Scope& operator=(const Tf32Scope&) = delete;

 private:
  bool gpu_;
};

}  // namespace upbench
