#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datasets/codec/raster.h"
#include "harness/stages/stage.h"
#include "harness/timing/energy.h"
#include "harness/timing/interleaved.h"
#include "harness/timing/session.h"

namespace upbench {

// The pipeline of one cell on one picture, as a sweep runs it but without any cache of results. Weights are
// loaded and the picture is on the device before a clock starts. The output of every lap on the picture
// itself is held against the output that was scored.
class PipelineSubject final : public TimingSubject {
 public:
  // settings: CellRow::settings. input: on the device. scored: pixel_digest of the scored output. energy and
  // session outlive this.
  PipelineSubject(const std::string& settings, Frame input, const StageContext& context, EnergyMeter& energy,
                  TimingSession& session, const Digest& scored);

  Lap run(int variant) override;

  // Of the first lap whose 8-bit output was not the scored one; empty: all were.
  const std::optional<Raster>& different() const { return different_; }
  void forget_different() { different_.reset(); }
  // From now on every call starts its own kernels: a replayed graph allocates nothing that could be counted.
  void drop_graphs() { context_.graphs = nullptr; }
  const Raster& last() const { return last_; }  // 8-bit output of the last lap on the picture itself

 private:
  Lap timed_lap(int variant);

  struct Part {
    Part(std::string name, std::unique_ptr<Stage> made) : id(std::move(name)), stage(std::move(made)) {}
    std::string id;
    std::unique_ptr<Stage> stage;
    std::vector<std::shared_ptr<const void>> networks;  // held, so that no cache drops them between laps
  };

  Frame input_;
  StageContext context_;
  EnergyMeter& energy_;
  TimingSession& session_;
  Digest scored_;
  std::vector<Part> parts_;
  Raster last_;
  std::optional<Raster> different_;
};

}  // namespace upbench
