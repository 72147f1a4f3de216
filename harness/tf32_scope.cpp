#include "harness/tf32_scope.h"

#include <condition_variable>
#include <mutex>

#include "harness/device_runtime.h"

namespace upbench {
namespace {

struct Switch {
  std::mutex mutex;
  std::condition_variable changed;
  int users = 0;
  bool on = false;
  DeviceSettings before;  // the first user
};

Switch& the_switch() {
  static Switch shared;
  return shared;
}

}  // namespace

Tf32Scope::Tf32Scope(const std::string& device, bool on) : gpu_(device != "cpu") {
  if (!gpu_) return;
  Switch& shared = the_switch();
  std::unique_lock lock(shared.mutex);
  shared.changed.wait(lock, [&] { return shared.users == 0 || shared.on == on; });
  if (shared.users++ > 0) return;
  shared.on = on;
  shared.before = settings_in_force();
  DeviceSettings settings = shared.before;
  settings.tf32 = on;
  apply(settings);
}

Tf32Scope::~Tf32Scope() {
  if (!gpu_) return;
  Switch& shared = the_switch();
  const std::lock_guard lock(shared.mutex);
  if (--shared.users > 0) return;
  apply(shared.before);
  shared.changed.notify_all();
}

}  // namespace upbench
