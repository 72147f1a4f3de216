#pragma once

#include <mutex>
#include <optional>
#include <string>

#include <c10/core/Event.h>
#include <c10/core/Stream.h>

namespace upbench {

// Work queued on a stream runs in order, beside that of other streams. On the CPU a stream is the calling
// thread: work is done when its call returns, so that everything here is a no-op and one pipeline serves
// both.
class DeviceStream {
 public:
  // Of LibTorch's pool (32 a device and priority); the device must have been opened. "cpu", "cuda:0".
  explicit DeviceStream(const std::string& device, bool high_priority = false);
  // The one that operators of the calling thread go to now.
  static DeviceStream current(const c10::Device& device);

  bool idle() const;         // whether all queued work is done; false before a failure is reported
  void synchronize() const;  // the host waits; throws what the queued work failed with
  void* native() const;      // cudaStream_t; nullptr on the CPU
  const c10::Stream& torch() const { return stream_; }
  bool is_cpu() const { return stream_.device().is_cpu(); }

 private:
  explicit DeviceStream(const c10::Stream& stream) : stream_(stream) {}

  c10::Stream stream_;
};

// Until the end of the scope, operators that the calling thread starts go to `stream`, on its device.
class StreamScope {
 public:
  explicit StreamScope(const DeviceStream& stream);
  ~StreamScope();
  StreamScope(const StreamScope&) = delete;
  StreamScope& operator=(const StreamScope&) = delete;

 private:
  std::optional<c10::Stream> stream_before_;  // of the scope's device; nothing on the CPU
  std::optional<c10::Device> device_before_;
};

// A point in a stream's work. Thread-compatible: record before others look.
class DeviceEvent {
 public:
  explicit DeviceEvent(const std::string& device, bool timed = false);

  void record(const DeviceStream& stream);      // after what is queued there now
  void hold(const DeviceStream& stream) const;  // what is queued there from now on waits for the event
  void synchronize() const;                     // the host waits
  bool done() const;                            // also true when never recorded
  double seconds_since(
      const DeviceEvent& start) const;  // both timed and done; on the CPU by the host's clock

 private:
  std::optional<c10::Event> event_;  // nothing on the CPU
  double host_seconds_ = 0;          // when recorded there
};

// Held while a graph is recorded (GraphPool): until then nobody may wait for a whole device. CUDA refuses it
// while one of the device's streams records, and ends the recording.
std::mutex& recording_mutex();

// The host waits for all that is queued on the device, once no graph is recorded; nothing to do on the CPU.
void synchronize_device(const c10::Device& device);

}  // namespace upbench
