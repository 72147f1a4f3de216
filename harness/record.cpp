#include "harness/record.h"

#include <fmt/format.h>

#include <stdexcept>

namespace upbench {

std::string label_text(const CellLabel& label) {
  std::string text;
  for (const auto& [path, value] : label)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", path, value);
  return text;
}

std::string_view to_string(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::failed:
      return "failed";
    case Status::skipped:
      return "skipped";
  }
  throw std::invalid_argument("a status outside its enumeration");
}

std::string_view to_string(ValueFlag flag) {
  switch (flag) {
    case ValueFlag::ok:
      return "ok";
    case ValueFlag::inf:
      return "inf";
    case ValueFlag::undefined:
      return "undefined";
    case ValueFlag::skipped:
      return "skipped";
    case ValueFlag::failed:
      return "failed";
  }
  throw std::invalid_argument("a value flag outside its enumeration");
}

std::string_view to_string(Clock clock) {
  switch (clock) {
    case Clock::model:
      return "model";
    case Clock::sweep:
      return "sweep";
  }
  throw std::invalid_argument("a clock outside its enumeration");
}

}  // namespace upbench
