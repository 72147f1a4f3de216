#include "datasets/device/stream.h"

#include <chrono>

#include <c10/core/impl/VirtualGuardImpl.h>

namespace upbench {
namespace {

using c10::impl::VirtualGuardImpl;

c10::Stream new_stream(const c10::Device& device, bool high_priority) {
  if (device.is_cpu()) return c10::Stream(c10::Stream::DEFAULT, device);
  return VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device, high_priority);
}

double host_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

DeviceStream::DeviceStream(const std::string& device, bool high_priority)
    : stream_(new_stream(c10::Device(device), high_priority)) {}

DeviceStream DeviceStream::current(const c10::Device& device) {
  if (device.is_cpu()) return DeviceStream(c10::Stream(c10::Stream::DEFAULT, device));
  return DeviceStream(VirtualGuardImpl(device.type()).getStream(device));
}

bool DeviceStream::idle() const {
  return is_cpu() || VirtualGuardImpl(stream_.device_type()).queryStream(stream_);
}

void DeviceStream::synchronize() const {
  if (!is_cpu()) VirtualGuardImpl(stream_.device_type()).synchronizeStream(stream_);
}

void* DeviceStream::native() const {
  return is_cpu() ? nullptr : VirtualGuardImpl(stream_.device_type()).getStreamNativeHandle(stream_);
}

StreamScope::StreamScope(const DeviceStream& stream) {
  if (stream.is_cpu()) return;
  const VirtualGuardImpl guard(stream.torch().device_type());
  device_before_ = guard.exchangeDevice(stream.torch().device());
  stream_before_ = guard.exchangeStream(stream.torch());
}

StreamScope::~StreamScope() {
  if (!stream_before_) return;
  const VirtualGuardImpl guard(stream_before_->device_type());
  guard.exchangeStream(*stream_before_);
  guard.uncheckedSetDevice(*device_before_);
}

DeviceEvent::DeviceEvent(const std::string& device, bool timed) {
  const c10::Device of(device);
  if (!of.is_cpu())
    event_.emplace(of.type(), timed ? c10::EventFlag::BACKEND_DEFAULT : c10::EventFlag::PYTORCH_DEFAULT);
}

void DeviceEvent::record(const DeviceStream& stream) {
  if (event_)
    event_->record(stream.torch());
  else
    host_seconds_ = host_seconds();
}

void DeviceEvent::hold(const DeviceStream& stream) const {
  if (event_) event_->block(stream.torch());
}

void DeviceEvent::synchronize() const {
  if (event_) event_->synchronize();
}

bool DeviceEvent::done() const {
  return !event_ || event_->query();
}

double DeviceEvent::seconds_since(const DeviceEvent& start) const {
  return event_ ? start.event_->elapsedTime(*event_) / 1000 : host_seconds_ - start.host_seconds_;
}

std::mutex& recording_mutex() {
  static std::mutex mutex;
  return mutex;
}

void synchronize_device(const c10::Device& device) {
  if (device.is_cpu()) return;
  const std::lock_guard lock(recording_mutex());
  VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
}

}  // namespace upbench
