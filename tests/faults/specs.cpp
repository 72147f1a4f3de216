#include <fmt/format.h>

#include "tests/faults/fault.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

// Four lines that a spec begins with where its fault comes after; the fifth is the fault's own.
constexpr char kHead[] =
    "name: s\nimages: {procedural: {count: 1, size: 16}, lr: {scale: 2}}\nmetrics: [psnr-y]\ntiming: none\n";
constexpr char kPipeline[] = "pipeline: [{upscale: {model: nearest}}]\n";

Fault plan(int row, const char* name, const char* input, std::string text, const char* message,
           int exit_code = 2) {
  Fault fault{.row = row,
              .name = name,
              .input = input,
              .make = {},
              .command = {"plan", "s.yaml"},
              .exit_code = exit_code,
              .message = message};
  fault.make = [text = std::move(text)](const std::filesystem::path& folder) {
    write_text((folder / "s.yaml").string(), text);
  };
  return fault;
}
// A spec of kHead and these lines.
Fault after_head(int row, const char* name, const char* input, const std::string& text, const char* message) {
  return plan(row, name, input, kHead + text, message);
}
// One with these images instead.
Fault with_images(int row, const char* name, const char* input, const std::string& images,
                  const char* message) {
  return plan(row, name, input, fmt::format("name: s\nimages: {}\nmetrics: [psnr-y]\n{}", images, kPipeline),
              message);
}
Fault accepted(int row, const char* name, const char* input, std::string text) {
  return plan(row, name, input, std::move(text), "trials         1", 0);
}

std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string utf16(const std::string& text) {
  std::string wide = "\xff\xfe";
  for (const char c : text) wide += c, wide += '\0';
  return wide;
}

// Nine levels of nine references each: 9^9 texts.
std::string alias_bomb() {
  std::string text = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char level = 'b'; level <= 'i'; ++level) {
    const std::string earlier = fmt::format("*{}", static_cast<char>(level - 1));
    text += fmt::format("{0}: &{0} [{1}{2}]\n", level, repeated(earlier + ", ", 8), earlier);
  }
  return text;
}

// Six axes of 100 values.
std::string axes_of_a_million_million() {
  std::string values = "[0.5";
  for (int i = 1; i < 100; ++i) values += fmt::format(", {:.2f}", 0.5 + i / 100.0);
  values += "]";
  return "pipeline: [{upscale: {model: nearest}}" +
         repeated(fmt::format(", {{resize: {{scale: {}}}}}", values), 6) + "]\n";
}

std::vector<Fault> bombs() {
  return {
      after_head(115, "AliasBomb", "aliases that stand for 9^9 texts", alias_bomb(),
                 "s.yaml:5:4: anchor '&a'"),
      plan(115, "CyclicAlias", "an alias within itself, 8 bytes", "&a [*a]\n", "s.yaml:1:1: anchor '&a'"),
      after_head(115, "Depth", "lists nested 100,000 deep",
                 "pipeline: " + repeated("[", 100'000) + repeated("]", 100'000),
                 "s.yaml:5:74: nested deeper than 64 levels"),
      after_head(115, "TooLong", "a comment of 1.1 MB", "#" + repeated("x", 1'100'000),
                 "s.yaml: more than 1 MB, expected a spec file"),
  };
}

std::vector<Fault> texts() {
  const std::string sound = fmt::format("{}{}", kHead, kPipeline);
  return {
      after_head(116, "SameKey", "a key twice", "name: t\n",
                 "s.yaml:5:1: key 'name' a second time (first in line 1)"),
      after_head(116, "UnknownKey", "a key misspelt", "pipline: []\n",
                 "s.yaml:5:1: unknown key 'pipline' (did you mean 'pipeline'?)"),
      after_head(116, "UnknownModel", "a model misspelt", "pipeline: [{upscale: {model: lancsoz}}]\n",
                 "s.yaml:5:30: unknown model 'lancsoz'"),
      after_head(116, "WrongType", "a number for a list", "pipeline: 5\n",
                 "s.yaml:5:11: pipeline is '5', expected a list of stages"),
      after_head(116, "No", "no where a number or `none` is meant",
                 "pipeline: [{upscale: {model: nearest, tile: no}}]\n",
                 "s.yaml:5:45: upscale.tile is 'no', expected none, a whole number"),
      after_head(116, "Overflow", "1e400", "pipeline: [{resize: {scale: 1e400}}]\n",
                 "s.yaml:5:29: resize.scale is '1e400', expected a number from 0.01 to 16"),
      after_head(116, "NotANumber", ".nan", "pipeline: [{resize: {scale: .nan}}]\n",
                 "s.yaml:5:29: resize.scale is '.nan', expected a number from 0.01 to 16"),
      after_head(116, "Octal", "010", "pipeline: [{upscale: {model: nearest, tile: 010}}]\n",
                 "s.yaml:5:45: upscale.tile is '010', expected a whole number from 16 to 65536 without "
                 "leading zeros"),
      after_head(116, "Tab", "a tab as indentation", "pipeline:\n\t- upscale: {model: nearest}\n",
                 "s.yaml:6:1: a tab in the indentation, expected spaces"),
      plan(116, "Utf16", "UTF-16", utf16(sound), "s.yaml:1:1: UTF-16 or UTF-32 text, expected UTF-8"),
      accepted(116, "ByteOrderMark", "UTF-8 with a byte order mark", "\xEF\xBB\xBF" + sound),
      accepted(116, "CarriageReturns", "lines that end with CR LF", replaced(sound, "\n", "\r\n")),
  };
}

std::vector<Fault> values() {
  return {
      after_head(117, "TooMany", "axes of 10^12 combinations", axes_of_a_million_million(),
                 "s: would be 1e12 trials (1e12 cells x 1 pictures x 1 seeds), expected at most 1e8"),
      after_head(118, "EmptyAxis", "an axis of no values", "pipeline: [{upscale: {model: []}}]\n",
                 "s.yaml:5:30: upscale.model is an empty list, expected one value or more"),
      with_images(119, "SeedTooLarge", "a seed of 2^64",
                  "{procedural: {seed: 18446744073709551616}, lr: {scale: 2}}",
                  "s.yaml:2:29: images.procedural.seed is '18446744073709551616', expected a whole number"),
      with_images(119, "NegativeSeed", "a seed of -1", "{procedural: {seed: -1}, lr: {scale: 2}}",
                  "s.yaml:2:29: images.procedural.seed is '-1', expected a whole number from 0"),
      with_images(120, "Variable", "$HOME in a path", "{path: $HOME/pictures, lr: {scale: 2}}",
                  "$HOME/pictures: no such folder or file"),
      with_images(
          120, "Home", "~ in a path", "{path: ~/pictures, lr: {scale: 2}}",
          "s.yaml:2:16: images.path is '~/pictures', expected the path written out (~ is not expanded"),
      plan(120, "NameWithFolders", "a name that leads out of the folder",
           replaced(fmt::format("{}{}", kHead, kPipeline), "name: s", "name: ../../s"),
           "s.yaml:1:7: name is '../../s'"),
  };
}

}  // namespace

FaultTable spec_faults() {
  FaultTable table{.title = "Specs",
                   .introduction =
                       "Every place is line and column of the spec. Output pictures are named by their "
                       "content, so no spec can choose where they go (row 120).",
                   .faults = bombs()};
  for (std::vector<Fault> more : {texts(), values()})
    for (Fault& fault : more) table.faults.push_back(std::move(fault));
  return table;
}

}  // namespace upbench::test
