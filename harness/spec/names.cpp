#include "harness/spec/names.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/edit_distance.h"

namespace upbench {
namespace {

constexpr std::size_t kLongestWord = 64;  // longer ones are no typing errors, and the distance is quadratic

}  // namespace

std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  if (word.size() > kLongestWord) return best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

std::string unknown_name(std::string_view what, std::string_view word,
                         const std::vector<std::string>& candidates) {
  const std::string nearest = nearest_name(word, candidates);
  return fmt::format("unknown {} '{}'{}, expected one of {}", what, word.substr(0, kLongestWord),
                     nearest.empty() ? "" : fmt::format(" (did you mean '{}'?)", nearest),
                     fmt::join(candidates, ", "));
}

}  // namespace upbench
