#include "metrics/device_scoring.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "datasets/device/fault.h"
#include "datasets/device/pixels.h"
#include "metrics/device_similarity.h"

namespace upbench {
namespace {

struct Pair {
  at::Tensor output, reference;
};

// The forms of the pictures that metrics ask for, each made once.
class Pictures {
 public:
  Pictures(const Image& output, const Image& reference) : raw_{output, reference} {}

  const Pair& raw() const { return raw_; }
  // 8 bit: u8 [H, W, 3]; else clamped images.
  const Pair& compact(bool quantize) {
    return made(compact_[quantize], raw_,
                [=](const Image& image) { return quantize ? bytes_of_image(image) : image.clamp(0, 1); });
  }
  const Pair& images(bool quantize) {
    if (!quantize) return compact(false);
    return made(images_, compact(true), image_of_bytes);
  }

 private:
  template <typename Make>
  static const Pair& made(std::optional<Pair>& kept, const Pair& from, const Make& make) {
    if (!kept) kept = Pair{make(from.output), make(from.reference)};
    return *kept;
  }

  Pair raw_;
  std::optional<Pair> compact_[2], images_;
};

Pair cut(const Pair& pair, int border) {
  const auto part = [border](const at::Tensor& picture) {
    const std::int64_t rows = picture.scalar_type() == at::kByte ? 0 : 1;
    return picture.narrow(rows, border, picture.size(rows) - 2 * border)
        .narrow(rows + 1, border, picture.size(rows + 1) - 2 * border);
  };
  return {part(pair.output), part(pair.reference)};
}

Score failed(std::string reason) {
  return {.flag = ScoreFlag::failed, .reason = std::move(reason)};
}

// Signals that are looked at together.
struct Group {
  int border = 0;
  bool quantize = true;
  std::vector<Signal> signals;
  std::vector<std::size_t> tasks;
  std::size_t begin = 0;  // of its values among the results
};

class Scoring {
 public:
  Scoring(const Image& output, const Image& reference, std::span<const ScoreTask> tasks)
      : pictures_(output, reference), tasks_(tasks), scores_(tasks.size()), known_(tasks.size()) {}

  std::vector<Score> run() {
    queue({at::aminmax(pictures_.raw().output), at::aminmax(pictures_.raw().reference)});
    for (std::size_t i = 0; i < tasks_.size(); ++i) guarded({&i, 1}, [&] { begin(i); });
    for (Group& group : groups_) guarded(group.tasks, [&] { begin(group); });
    values_ = here();
    if (const std::string problem = broken(); !problem.empty())
      return std::vector<Score>(tasks_.size(), failed(problem));
    for (const auto& [task, place] : pending_) know(task, {.value = values_[place]});
    for (const Group& group : groups_) end(group);
    for (Score& score : scores_)
      if (score.flag == ScoreFlag::ok && !std::isfinite(score.value))
        score = failed("the score is not a finite number");
    return std::move(scores_);
  }

 private:
  void know(std::size_t task, Score score) {
    scores_[task] = std::move(score);
    known_[task] = true;
  }

  std::int64_t height() const { return pictures_.raw().output.size(1); }
  std::int64_t width() const { return pictures_.raw().output.size(2); }

  void queue(const std::vector<std::tuple<at::Tensor, at::Tensor>>& ranges) {
    for (const auto& [least, greatest] : ranges) {
      queued_.push_back(least.to(at::kDouble).view({1}));
      queued_.push_back(greatest.to(at::kDouble).view({1}));
      count_ += 2;
    }
  }

  // Returns where its values will be.
  std::size_t queue(const at::Tensor& values) {
    queued_.push_back(values.to(at::kDouble).flatten());
    return std::exchange(count_, count_ + static_cast<std::size_t>(values.numel()));
  }

  // What goes wrong in `work` fails these tasks.
  void guarded(std::span<const std::size_t> tasks, const std::function<void()>& work) {
    try {
      work();
    } catch (const std::exception& error) {
      if (device_fault(error, pictures_.raw().output.device().str()) == DeviceFault::lost) throw;
      for (const std::size_t task : tasks) know(task, failed(device_error_text(error)));
    }
  }

  void begin(std::size_t index) {
    const ScoreTask& task = tasks_[index];
    if (2 * task.border >= std::min(height(), width())) {
      know(index, {.flag = ScoreFlag::undefined,
                   .reason = fmt::format("nothing is left after a cut of {} pixels", task.border)});
    } else if (*task.signals) {
      join_group(index);
    } else if (const DeviceScoreFunction& score = task.function->on_device()) {
      const Pair pair = cut(pictures_.images(task.quantize), task.border);
      const PendingScore result = score(pair.output, pair.reference, task.features);
      if (const Score* known = std::get_if<Score>(&result))
        know(index, *known);
      else
        pending_.emplace_back(index, queue(std::get<at::Tensor>(result)));
    } else {
      const Pair pair = cut(pictures_.images(task.quantize), task.border);
      know(index, (*task.function)(pair.output.cpu().contiguous(), pair.reference.cpu().contiguous(),
                                   task.features));
    }
  }

  void join_group(std::size_t index) {
    const ScoreTask& task = tasks_[index];
    auto group = std::ranges::find_if(groups_, [&](const Group& known) {
      return known.border == task.border && known.quantize == task.quantize;
    });
    if (group == groups_.end())
      group = groups_.insert(group, Group{.border = task.border, .quantize = task.quantize});
    group->tasks.push_back(index);
    for (const Signal& signal : (*task.signals)->signals)
      if (std::ranges::find(group->signals, signal) == group->signals.end()) group->signals.push_back(signal);
  }

  void begin(Group& group) {
    const Pair pair = cut(pictures_.compact(group.quantize), group.border);
    group.begin = queue(similarity_sums(pair.output, pair.reference, group.signals));
  }

  void end(const Group& group) {
    if (known_[group.tasks[0]]) return;  // all of them failed
    const auto found = similarity_of(std::span(values_).subspan(group.begin, 2 * group.signals.size()),
                                     height() - 2 * group.border, width() - 2 * group.border);
    for (const std::size_t task : group.tasks) {
      std::vector<Similarity> own;
      for (const Signal& signal : (*tasks_[task].signals)->signals)
        own.push_back(found[static_cast<std::size_t>(std::ranges::find(group.signals, signal) -
                                                     group.signals.begin())]);
      know(task, (*tasks_[task].signals)->score(own));
    }
  }

  std::vector<double> here() const {
    const at::Tensor all = at::cat(queued_).cpu();
    return {all.const_data_ptr<double>(), all.const_data_ptr<double>() + all.numel()};
  }

  // The first four values are the ranges.
  std::string broken() const {
    if (!std::isfinite(values_[0]) || !std::isfinite(values_[1]))
      return "the output holds NaN or infinite values";
    if (!std::isfinite(values_[2]) || !std::isfinite(values_[3]))
      return "the reference holds NaN or infinite values";
    return {};
  }

  Pictures pictures_;
  std::span<const ScoreTask> tasks_;
  std::vector<Score> scores_;
  std::vector<bool> known_;  // of the scores
  std::vector<Group> groups_;
  std::vector<std::pair<std::size_t, std::size_t>> pending_;  // task, place of its value
  std::vector<at::Tensor> queued_;
  std::size_t count_ = 0;  // of the values queued
  std::vector<double> values_;
};

}  // namespace

std::vector<Score> score_on_device(const Image& output, const Image& reference,
                                   std::span<const ScoreTask> tasks) {
  return Scoring(output.detach(), reference.detach().to(output.device()), tasks).run();
}

}  // namespace upbench
