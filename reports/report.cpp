#include "reports/report.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "datasets/codec/encode.h"
#include "reports/decision/tables.h"
#include "reports/headline.h"
#include "reports/page.h"
#include "reports/plots.h"
#include "reports/plots/history_plots.h"
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
  if (!table.caption.empty()) text += escape_markdown_sentence(table.caption) + "\n\n";
  return text + render_markdown(table);
}

// A list of sentences; each ends with the title of the table that shows more.
std::string sentences(const std::vector<Sentence>& list, const std::vector<Table>& tables) {
  std::string text;
  for (const Sentence& sentence : list) {
    text += "- " + escape_markdown_sentence(sentence.text);
    for (const Table& table : tables)
      if (table.id == sentence.evidence && !table.rows.empty()) text += fmt::format(" → {}", table.title);
    text += '\n';
  }
  return text;
}

std::string dump(const nlohmann::json& value) {
  return value.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string collected(void (*write)(const RunData&, const TextSink&), const RunData& data) {
  std::string text;
  write(data, [&](std::string_view piece) { text += piece; });
  return text;
}

}  // namespace

std::string report_markdown(const RunData& data) {
  const Analysis analysis = analyse(data);
  const Decisions decisions = decide(analysis);
  const Headline headline = make_headline(analysis, decisions);
  const std::vector<Table> tables = report_tables(analysis, decisions, kMostTrialsInMarkdown);
  std::string text = fmt::format("# {}\n\n", escape_markdown(headline.title));
  text += sentences(headline.findings, tables);
  if (!headline.warnings.empty()) text += "\nWhat limits this:\n\n" + sentences(headline.warnings, tables);
  text += "\nThe run:\n\n";
  for (const auto& [name, value] : headline.facts)
    text += fmt::format("- {}: {}\n", name, escape_markdown(value));
  for (const Table& table : tables) text += section(table);
  return text;
}

void write_csv(const RunData& data, const TextSink& sink) {
  const Analysis analysis = analyse(data);
  const TrialTable trials(analysis, TrialTable::For::programs);
  sink(csv_header(trials.columns()));
  for (std::size_t i = 0; i < data.trials.size(); ++i) sink(csv_row(trials.columns(), trials.row(i)));
}

std::string report_csv(const RunData& data) {
  return collected(write_csv, data);
}

void write_json(const RunData& data, const TextSink& sink) {
  const Analysis analysis = analyse(data);
  const Decisions decisions = decide(analysis);
  const Headline headline = make_headline(analysis, decisions);
  nlohmann::json all = {{"name", clean_text(headline.title)},  {"run", data.plan.run.key.hex()},
                        {"findings", nlohmann::json::array()}, {"warnings", nlohmann::json::array()},
                        {"facts", nlohmann::json::object()},   {"tables", nlohmann::json::object()}};
  for (const Sentence& finding : headline.findings) all["findings"].push_back(clean_sentence(finding.text));
  for (const Sentence& warning : headline.warnings) all["warnings"].push_back(clean_sentence(warning.text));
  for (const auto& [name, value] : headline.facts) all["facts"][name] = clean_text(value);
  for (const Table& table : report_tables(analysis, decisions, 0))
    if (table.id != kTrialsId) all["tables"][table.id] = render_json(table);
  const TrialTable trials(analysis, TrialTable::For::programs);
  // Row by row, as a million trials do not fit as one document.
  std::string text = dump(all);
  text.erase(text.rfind("\n}"));
  sink(text + ",\n \"trials\": [");
  for (std::size_t i = 0; i < data.trials.size(); ++i)
    sink((i > 0 ? ",\n  " : "\n  ") + json_row(trials.columns(), trials.row(i))
                                          .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  sink("\n ]\n}\n");
}

std::string report_json(const RunData& data) {
  return collected(write_json, data);
}

std::string report_latex(const RunData& data) {
  const Analysis analysis = analyse(data);
  std::string text = fmt::format("% upbench report of {}; needs \\usepackage{{booktabs}}\n",
                                 escape_latex(data.plan.run.name));
  const Decisions decisions = decide(analysis);
  for (const Table& table : {ranking_table(analysis, decisions), comparison_table(analysis, decisions),
                             sweet_spots_table(analysis, decisions), axes_table(analysis)})
    if (!table.rows.empty()) text += render_latex(table);
  return text;
}

std::string report_html(const RunData& data, const GalleryOptions& pictures, const HistoryReport* history) {
  const Analysis analysis = analyse(data);
  return make_page(analysis, decide(analysis), pictures, history);
}

std::string report_ranking_text(const RunData& data) {
  const Analysis analysis = analyse(data);
  const Decisions decisions = decide(analysis);
  std::string text = render_text(ranking_table(analysis, decisions));
  for (const Sentence& finding : make_headline(analysis, decisions).findings)
    text += "\n- " + clean_sentence(finding.text);
  return text + "\n";
}

void write_plots(const RunData& data, const std::filesystem::path& folder, const HistoryReport* history) {
  std::filesystem::create_directories(folder);
  const Analysis analysis = analyse(data);
  std::vector<Plot> plots = make_plots(analysis, decide(analysis));
  if (history) std::ranges::move(history_plots(*history), std::back_inserter(plots));
  for (const Plot& plot : plots) {
    const std::string text = dump(plot.spec);
    write_file_atomically(folder / (plot.name + ".vl.json"),
                          {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
}

}  // namespace upbench
