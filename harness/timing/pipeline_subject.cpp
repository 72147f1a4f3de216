#include "harness/timing/pipeline_subject.h"

#include <stdexcept>

#include <ATen/ops/roll.h>
#include <c10/util/Exception.h>

#include "datasets/image.h"
#include "harness/device.h"
#include "harness/kept_outputs.h"
#include "harness/steady_clock.h"

namespace upbench {
PipelineSubject::PipelineSubject(const std::string& settings, Frame input, const StageContext& context,
                                 EnergyMeter& energy, TimingSession& session, const Digest& scored)
    : input_(std::move(input)), context_(context), energy_(energy), session_(session), scored_(scored) {
  for (const auto& stage : nlohmann::json::parse(settings)) {
    const std::string id = stage.at("id");
    Part& part = parts_.emplace_back(id, make_stage(stage.at("kind"), id, stage.at("settings")));
    part.networks = part.stage->load(context_);
  }
}

Lap PipelineSubject::run(int variant) {
  try {
    return timed_lap(variant);
  } catch (const c10::Error& error) {
    throw std::runtime_error(error.what_without_backtrace());
  }
}

Lap PipelineSubject::timed_lap(int variant) {
  Frame frame = input_;
  if (variant != 0) frame.rgb = at::roll(frame.rgb, {variant, 2 * variant}, {1, 2});
  synchronize(context_.device);
  session_.begin_lap();
  Lap lap;
  const double energy = energy_.joules();
  const auto start = SteadyClock::now();
  for (const Part& part : parts_) {
    nlohmann::json used;
    const auto begin = SteadyClock::now();
    frame = part.stage->run(frame, context_, used);
    synchronize(context_.device);
    lap.stages.emplace_back(part.id, seconds_since(begin));
  }
  lap.seconds = seconds_since(start);
  lap.joules = energy_.joules() - energy;
  session_.end_lap(lap);
  if (variant == 0) {
    last_ = to_raster(frame.rgb);
    if (!different_ && pixel_digest(last_) != scored_) different_ = last_;
  }
  return lap;
}

}  // namespace upbench
