#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "datasets/codec/encode.h"
#include "reports/history.h"

namespace upbench {
namespace {

using nlohmann::json;

constexpr char kSchema[] = "upbench-history-1";

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::invalid_argument(fmt::format("{}: no such file", file.string()));
  std::ostringstream text;
  text << stream.rdbuf();
  return std::move(text).str();
}

HistoryEntry parse_entry(const std::string& line, const std::string& where) {
  try {
    const json object = json::parse(line);
    if (object.at("schema") != kSchema)
      throw std::invalid_argument(
          fmt::format("{}: schema {}: this program reads {}", where, object["schema"].dump(), kSchema));
    return {object.at("revision"), object.at("added"), parse_baseline(object.at("baseline").dump(), where)};
  } catch (const json::exception& error) {
    throw std::invalid_argument(fmt::format("{}: no line of a history ({})", where, error.what()));
  }
}

std::vector<HistoryEntry> parse_history(const std::string& text, const std::string& source) {
  std::vector<HistoryEntry> entries;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number)
    entries.push_back(parse_entry(line, fmt::format("{}:{}", source, number)));
  return entries;
}

}  // namespace

void add_to_history(const std::filesystem::path& file, const HistoryEntry& entry) {
  std::string text;
  if (std::filesystem::exists(file)) {
    text = text_of(file);
    parse_history(text, file.string());
    if (!text.empty() && text.back() != '\n') text += '\n';
  }
  const json line = {{"schema", kSchema},
                     {"revision", entry.revision},
                     {"added", entry.added},
                     {"baseline", json::parse(baseline_text(entry.side))}};
  text += line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  write_file_atomically(file, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::vector<HistoryEntry> read_history(const std::filesystem::path& file) {
  std::vector<HistoryEntry> entries = parse_history(text_of(file), file.string());
  if (entries.empty()) throw std::invalid_argument(fmt::format("{}: holds no run", file.string()));
  return entries;
}

}  // namespace upbench
