#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

// What kinds of stages there are and which parameters they take; what spec and plan need to know of a stage. Torch-free.
// How a stage runs is in harness/stages/.
namespace upbench {

struct ParameterKind {
  enum class Type { text, integer, number, boolean, choice, model, tile };
  std::string name;
  Type type = Type::text;
  nlohmann::json default_value;           // null: must be given
  double least = 0, most = 0;             // integer, number; both 0: unbounded
  std::vector<std::string> choices;       // choice
  std::string help;
};

struct PictureSize {
  int width = 0, height = 0;
  bool operator==(const PictureSize&) const = default;
};

struct StageKind {
  std::string name;
  int version = 1;                        // of its code; part of every output key
  bool uses_seed = false;
  std::vector<ParameterKind> parameters;
};

const std::vector<StageKind>& stage_kinds();
const StageKind* find_stage_kind(std::string_view name);

}  // namespace upbench
