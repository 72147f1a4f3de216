#include "reports/model_time.h"

#include <cmath>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "reports/analysis.h"

namespace upbench {
namespace {

double number(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number() ? found->get<double>() : ModelTime::kUnknown;
}

// The texts of a list; others are left out.
std::vector<std::string> texts(const nlohmann::json& json, const char* name) {
  std::vector<std::string> list;
  if (const auto found = json.find(name); found != json.end() && found->is_array())
    for (const auto& item : *found)
      if (item.is_string()) list.push_back(item.get<std::string>());
  return list;
}

// One sentence a session: what the device reaches on plain arithmetic and copies, what disturbed it.
std::string session_text(const std::string& facts) {
  const auto json = nlohmann::json::parse(facts, nullptr, false);
  if (!json.is_object()) return {};
  std::string text;
  if (const auto peaks = json.find("peaks"); peaks != json.end() && peaks->is_object()) {
    std::vector<std::string> parts;
    for (const auto& [name, title] : {std::pair("fp32_flops", "fp32"), std::pair("tf32_flops", "tf32"),
                                      std::pair("bf16_flops", "bf16"), std::pair("fp16_flops", "fp16")})
      if (const double flops = number(*peaks, name); flops > 0)
        parts.push_back(fmt::format("{} arithmetic {:.4g} GFLOP/s", title, flops / 1e9));
    if (const double bytes = number(*peaks, "copy_bytes_per_s"); bytes > 0)
      parts.push_back(fmt::format("copy {:.3g} GB/s", bytes / 1e9));
    if (!parts.empty()) text += fmt::format(" Peaks of the device: {}.", fmt::join(parts, ", "));
  }
  if (const auto flags = texts(json, "flags"); !flags.empty())
    text += fmt::format(" Doubtful: {}.", fmt::join(flags, "; "));
  return text;
}

Table::Column cost(std::string id, std::string title, Table::Kind kind, int decimals,
                   Table::Better better = Table::Better::neither) {
  return {
      .id = std::move(id), .title = std::move(title), .kind = kind, .decimals = decimals, .better = better};
}

}  // namespace

ModelTime parse_model_time(const std::string& facts) {
  const auto json = nlohmann::json::parse(facts, nullptr, false);
  if (!json.is_object()) return {};
  const auto session = json.find("session");
  return {.samples = number(json, "samples"),
          .mad = number(json, "mad_s"),
          .low = number(json, "low_s"),
          .high = number(json, "high_s"),
          .megapixels_per_s = number(json, "megapixels_per_s"),
          .macs = number(json, "macs"),
          .peak_share = number(json, "peak_share"),
          .joules = number(json, "joules"),
          .flags = fmt::format("{}", fmt::join(texts(json, "flags"), "; ")),
          .session = session != json.end() && session->is_string() ? session->get<std::string>() : ""};
}

const std::vector<ModelTimeColumn>& model_time_columns() {
  using Kind = Table::Kind;
  static const std::vector<ModelTimeColumn> columns = {
      {cost("cost_model_samples", "samples", Kind::count, 0), &ModelTime::samples},
      {cost("cost_model_mad_s", "MAD", Kind::seconds, 4), &ModelTime::mad},
      {cost("cost_model_low_s", "95 % from", Kind::seconds, 4), &ModelTime::low},
      {cost("cost_model_high_s", "to", Kind::seconds, 4), &ModelTime::high},
      {cost("cost_megapixels_per_s", "MP/s", Kind::number, 3, Table::Better::higher),
       &ModelTime::megapixels_per_s},
      {cost("cost_macs", "MAC", Kind::count, 0), &ModelTime::macs},
      {cost("cost_peak_share", "of peak", Kind::ratio, 0), &ModelTime::peak_share},
      {cost("cost_joules", "J", Kind::number, 3), &ModelTime::joules}};
  return columns;
}

Table model_time_table(const Analysis& analysis) {
  const RunData& data = *analysis.data;
  Table table{.id = "model_time", .title = "Model time", .caption = {}, .columns = {}, .rows = {}};
  table.columns = {{.id = "cell", .title = "cell"},
                   {.id = "picture", .title = "picture"},
                   {.id = "cost_model_s", .title = "median", .kind = Table::Kind::seconds}};
  for (const ModelTimeColumn& column : model_time_columns()) table.columns.push_back(column.column);
  table.columns.push_back({.id = "flags", .title = "doubts"});
  std::map<std::string, std::size_t> sessions;
  for (const RunData::Trial& trial : data.trials) {
    const ModelTime& time = data.model_times[trial.model_time];
    if (trial.model_time == 0 || trial.same_as != kNoTrial) continue;
    ++sessions[time.session];
    Table::Row row;
    row.cells = {text_cell(analysis.cells[trial.cell].name), text_cell(data.plan.images[trial.image].name),
                 value_cell(trial.model_seconds)};
    for (const ModelTimeColumn& column : model_time_columns())
      row.cells.push_back(std::isnan(time.*column.value) ? Table::Cell{} : value_cell(time.*column.value));
    row.cells.push_back(text_cell(time.flags));
    table.add(std::move(row));
  }
  table.caption =
      "Caches off, warmed up, the cells of a picture in turns. Median of the samples with its median "
      "absolute "
      "deviation and 95 % bootstrap interval; output megapixels; multiply-accumulates; share of what "
      "plain arithmetic of the same precision reached in the same session.";
  if (sessions.size() > 1)
    table.caption += fmt::format(" {} sessions: only times of one picture in one session are comparable.",
                                 sessions.size());
  for (const auto& [session, count] : sessions)
    if (const auto facts = data.timing_sessions.find(session); facts != data.timing_sessions.end())
      table.caption += session_text(facts->second);
  return table;
}

}  // namespace upbench
