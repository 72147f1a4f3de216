#include "reports/report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "datasets/codec/encode.h"
#include "reports/headline.h"
#include "reports/page.h"
#include "reports/plots.h"
#include "reports/render/csv.h"
#include "reports/render/format.h"
#include "reports/render/json.h"
#include "reports/render/latex.h"
#include "reports/render/markdown.h"
#include "reports/render/text.h"
#include "reports/summary.h"

namespace upbench {
namespace {

constexpr std::size_t kMostTrialsInMarkdown = 200;

std::string section(const Table& table) {
  if (table.rows.empty()) return {};
  std::string text = fmt::format("\n## {}\n\n", table.title);
  if (!table.caption.empty()) text += escape_markdown(table.caption) + "\n\n";
  return text + render_markdown(table);
}

std::string dump(const nlohmann::json& json) {
  return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string report_markdown(const RunData& data) {
  const Analysis analysis = analyse(data);
  const Headline headline = make_headline(analysis);
  std::string text = fmt::format("# {}\n\n", escape_markdown(headline.title));
  for (const std::string& finding : headline.findings)
    text += fmt::format("- {}\n", escape_markdown(finding));
  if (!headline.warnings.empty()) text += "\nWhat limits this:\n\n";
  for (const std::string& warning : headline.warnings)
    text += fmt::format("- {}\n", escape_markdown(warning));
  text += "\nThe run:\n\n";
  for (const auto& [name, value] : headline.facts)
    text += fmt::format("- {}: {}\n", name, escape_markdown(value));
  for (const Table& table : {ranking_table(analysis), published_table(analysis), axes_table(analysis),
                             model_time_table(analysis), failures_table(analysis), missing_table(analysis),
                             TrialTable(analysis, TrialTable::For::people).table(kMostTrialsInMarkdown),
                             exclusions_table(analysis), duplicates_table(analysis),
                             same_pixels_table(analysis), notes_table(analysis), conventions_table(analysis),
                             settings_table(analysis), environment_table(analysis)})
    text += section(table);
  return text;
}

std::string report_csv(const RunData& data) {
  const Analysis analysis = analyse(data);
  const TrialTable trials(analysis, TrialTable::For::programs);
  std::string text = csv_header(trials.columns());
  for (std::size_t i = 0; i < data.trials.size(); ++i) text += csv_row(trials.columns(), trials.row(i));
  return text;
}

std::string report_json(const RunData& data) {
  const Analysis analysis = analyse(data);
  const Headline headline = make_headline(analysis);
  nlohmann::json json = {{"name", clean_text(headline.title)},  {"run", data.plan.run.key.hex()},
                         {"findings", nlohmann::json::array()}, {"warnings", nlohmann::json::array()},
                         {"facts", nlohmann::json::object()},   {"tables", nlohmann::json::object()}};
  for (const std::string& finding : headline.findings) json["findings"].push_back(clean_text(finding));
  for (const std::string& warning : headline.warnings) json["warnings"].push_back(clean_text(warning));
  for (const auto& [name, value] : headline.facts) json["facts"][name] = clean_text(value);
  for (const Table& table :
       {ranking_table(analysis), published_table(analysis), axes_table(analysis), model_time_table(analysis),
        failures_table(analysis), missing_table(analysis), exclusions_table(analysis),
        duplicates_table(analysis), same_pixels_table(analysis), notes_table(analysis),
        conventions_table(analysis), settings_table(analysis), environment_table(analysis)})
    json["tables"][table.id] = render_json(table);
  const TrialTable trials(analysis, TrialTable::For::programs);
  // Row by row, as a million trials do not fit as one document.
  std::string text = dump(json);
  text.erase(text.rfind("\n}"));
  text += ",\n \"trials\": [";
  for (std::size_t i = 0; i < data.trials.size(); ++i)
    text += (i > 0 ? ",\n  " : "\n  ") + json_row(trials.columns(), trials.row(i))
                                             .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text += "\n ]\n}\n";
  return text;
}

std::string report_latex(const RunData& data) {
  const Analysis analysis = analyse(data);
  std::string text = fmt::format("% upbench report of {}; needs \\usepackage{{booktabs}}\n",
                                 escape_latex(data.plan.run.name));
  for (const Table& table : {ranking_table(analysis), axes_table(analysis)})
    if (!table.rows.empty()) text += render_latex(table);
  return text;
}

std::string report_html(const RunData& data) {
  return make_page(analyse(data));
}

std::string report_ranking_text(const RunData& data) {
  return render_text(ranking_table(analyse(data)));
}

void write_plots(const RunData& data, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const Plot& plot : make_plots(analyse(data))) {
    const std::string text = dump(plot.spec);
    write_file_atomically(folder / (plot.name + ".vl.json"),
                          {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
}

}  // namespace upbench
