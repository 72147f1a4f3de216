#include "cli/left_out.h"

#include <cstdio>

#include <fmt/format.h>

#include "datasets/safe_text.h"

namespace upbench {

void note_left_out(const std::vector<LeftOut>& left_out) {
  for (const LeftOut& source : left_out) fmt::print(stderr, "upbench: note: {}\n", left_out_note(source));
}

nlohmann::json left_out_json(const std::map<std::string, std::size_t>& files) {
  std::map<std::string, std::size_t> shown;
  for (const auto& [suffix, count] : files) shown[safe_text(suffix)] += count;
  return shown;
}

nlohmann::json left_out_json(const std::vector<LeftOut>& left_out) {
  std::map<std::string, std::size_t> files;
  for (const LeftOut& source : left_out)
    for (const auto& [suffix, count] : source.files) files[suffix] += count;
  return left_out_json(files);
}

}  // namespace upbench
