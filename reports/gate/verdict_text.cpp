#include "reports/gate/verdict_text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "reports/render/format.h"
#include "reports/render/html.h"
#include "reports/render/markdown.h"

namespace upbench {
namespace {

using About = GateComparison::About;

std::string amount(const GateComparison& comparison, double value) {
  if (std::isnan(value)) return "?";
  if (comparison.about == About::artifact) return fmt::format("{:+.0f} %", 100 * value);
  if (comparison.about != About::metric) return fixed(value, comparison.decimals) + " times";
  return fmt::format("{}{}{}", value > 0 ? "+" : "", fixed(value, comparison.decimals + 1),
                     comparison.unit.empty() ? "" : " " + comparison.unit);
}

// "1.200 times the memory (tolerance 1.05), 10.0 MiB -> 12.0 MiB, the most of 20 pictures"
std::string memory_figures(const GateComparison& comparison) {
  const Table::Column bytes{.kind = Table::Kind::bytes};
  return fmt::format("{} the memory (tolerance {}), {} -> {}, the most of {} pictures",
                     amount(comparison, comparison.now / comparison.base), exact(comparison.limits.tolerance),
                     format_value(bytes, comparison.base), format_value(bytes, comparison.now),
                     comparison.pictures);
}

// "3 -> 9 of 20 pictures, +30 % [+9, +50] (tolerance 0): 7 appeared, 1 cleared"
std::string artifact_figures(const GateComparison& comparison) {
  const PairedCounts& counts = *comparison.counts;
  return fmt::format("{} -> {} of {} pictures, {} [{}, {}] (tolerance {}): {} appeared, {} cleared",
                     counts.both + counts.only_before, counts.both + counts.only_after, comparison.pictures,
                     amount(comparison, comparison.worsening), amount(comparison, comparison.interval.low),
                     amount(comparison, comparison.interval.high), exact(comparison.limits.tolerance),
                     counts.only_after, counts.only_before);
}

// "worse by +0.12 dB [+0.08, +0.15] (tolerance 0.01), 30.12 -> 30.00 over 20 pictures"
std::string figures(const GateComparison& comparison) {
  if (comparison.about == About::memory) return memory_figures(comparison);
  if (comparison.about == About::artifact) return artifact_figures(comparison);
  return fmt::format("worse by {} [{}, {}] (tolerance {}), {} -> {} over {} {}",
                     amount(comparison, comparison.worsening), amount(comparison, comparison.interval.low),
                     amount(comparison, comparison.interval.high), exact(comparison.limits.tolerance),
                     fixed(comparison.base, comparison.decimals), fixed(comparison.now, comparison.decimals),
                     comparison.pictures, comparison.about == About::time ? "samples" : "pictures");
}

std::string worst_pictures(const GateComparison& comparison) {
  std::string text;
  for (const auto& picture : comparison.worst) {
    text += (text.empty() ? "" : ", ") + picture.name;
    if (comparison.about != About::artifact) text += " " + amount(comparison, picture.worsening);
  }
  return text;
}

Table comparison_table(const GateResult& result) {
  Table table{.id = "comparisons", .title = "All comparisons"};
  for (const char* column : {"cell", "metric", "verdict", "what"})
    table.columns.push_back({.id = column, .title = column});
  for (const GateComparison& comparison : result.comparisons)
    table.add({{text_cell(comparison.cell), text_cell(comparison.metric),
                text_cell(std::string(to_string(comparison.verdict))), text_cell(described(comparison))}});
  return table;
}

std::string bullets(const std::string& title, const std::vector<std::string>& lines) {
  if (lines.empty()) return {};
  std::string text = fmt::format("\n**{}**\n\n", title);
  for (const std::string& line : lines) text += "- " + escape_markdown_sentence(line) + "\n";
  return text;
}

std::vector<std::string> lines_of(const GateResult& result, GateVerdict verdict, bool required) {
  std::vector<std::string> lines;
  for (const GateComparison& comparison : result.comparisons) {
    if (comparison.verdict != verdict || (required && !comparison.required)) continue;
    lines.push_back(fmt::format("{}: {}: {}", comparison.cell, comparison.metric, described(comparison)));
    if (verdict == GateVerdict::regressed && !comparison.worst.empty())
      lines.back() += "; worst: " + worst_pictures(comparison);
  }
  return lines;
}

std::string basis_text(GateCause::Basis basis) {
  switch (basis) {
    case GateCause::Basis::pictures:
      return "consistent with: ";
    case GateCause::Basis::scores:
      return "a guess from the scores alone: ";
    case GateCause::Basis::recorded:
    case GateCause::Basis::measured:
      break;
  }
  return {};
}

// "consistent with: R and B swapped: ... [cell a; cell b]"
std::vector<std::string> cause_lines(const GateResult& result) {
  std::vector<std::string> lines;
  for (const GateCause& cause : result.causes)
    lines.push_back(
        fmt::format("{}{} [{}]", basis_text(cause.basis), cause.text, fmt::join(cause.cells, "; ")));
  for (const std::string& note : result.cause_notes) lines.push_back("not told: " + note);
  return lines;
}

}  // namespace

std::string causes_of(const GateResult& result, const std::string& cell) {
  std::string text;
  for (const GateCause& cause : result.causes)
    if (std::ranges::find(cause.cells, cell) != cause.cells.end())
      text += (text.empty() ? "" : "; ") + basis_text(cause.basis) + cause.text;
  return text;
}

std::string described(const GateComparison& comparison) {
  const bool measured =
      comparison.verdict != GateVerdict::not_comparable &&
      comparison.pictures > (comparison.about == About::metric || comparison.about == About::time ? 1u : 0u);
  std::string text = measured ? figures(comparison) : "";
  if (!comparison.reason.empty()) text += (text.empty() ? "" : ": ") + comparison.reason;
  return text;
}

std::string verdict_line(const GateResult& result) {
  std::string text;
  const auto add = [&](std::size_t count, std::string_view what) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  };
  add(result.count(GateVerdict::regressed), "regressed");
  add(result.lost, "trials lost");
  add(result.missing.size(), "missing");
  for (const GateVerdict verdict :
       {GateVerdict::cannot_tell, GateVerdict::not_comparable, GateVerdict::improved, GateVerdict::no_worse})
    add(result.count(verdict), to_string(verdict));
  return text;
}

std::string verdict_markdown(const GateResult& result) {
  constexpr const char* kHeadings[] = {"No regression", "Regression", "", "Cannot tell"};
  std::string text =
      fmt::format("### upbench: {}\n\n{}\n", kHeadings[exit_code_of(result)], verdict_line(result));
  text += bullets("Worse", lines_of(result, GateVerdict::regressed, false));
  text += bullets("Why, as far as it can be told", cause_lines(result));
  text += bullets("Trials that were ok", result.failures);
  text += bullets("Missing", result.missing);
  text += bullets("Missing or lost, and allowed by the policy", result.allowed);
  text += bullets("Cannot be told", lines_of(result, GateVerdict::cannot_tell, true));
  text += bullets("Not comparable", lines_of(result, GateVerdict::not_comparable, false));
  text += bullets("Better", lines_of(result, GateVerdict::improved, false));
  text += bullets("What changed", result.changed);
  text += bullets("New, not compared", result.added);
  text +=
      fmt::format("\n<details><summary>All {} comparisons, with 90 % intervals</summary>\n\n{}\n</details>\n",
                  result.comparisons.size(), render_markdown(comparison_table(result)));
  return text;
}

std::string verdict_junit(const GateResult& result) {
  std::string cases;
  std::size_t failures = 0, errors = 0, skipped = 0, tests = 0;
  const auto add = [&](const std::string& group, const std::string& name, const char* outcome,
                       const std::string& message) {
    ++tests;
    cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\"", escape_html(clean_text(group)),
                         escape_html(clean_text(name)));
    cases += outcome
                 ? fmt::format("><{} message=\"{}\"/></testcase>\n", outcome, escape_html_sentence(message))
                 : "/>\n";
  };
  for (const GateComparison& comparison : result.comparisons) {
    const bool told =
        comparison.verdict == GateVerdict::improved || comparison.verdict == GateVerdict::no_worse;
    const bool regressed = comparison.verdict == GateVerdict::regressed;
    const char* outcome = told ? nullptr : regressed ? "failure" : comparison.required ? "error" : "skipped";
    failures += regressed ? 1 : 0;
    errors += !told && !regressed && comparison.required ? 1 : 0;
    skipped += !told && !regressed && !comparison.required ? 1 : 0;
    std::string message = fmt::format("{}: {}", to_string(comparison.verdict), described(comparison));
    if (const std::string why = causes_of(result, comparison.cell); regressed && !why.empty())
      message += "; why: " + why;
    add(comparison.cell, comparison.metric, outcome, message);
  }
  for (const std::string& failure : result.failures) add("trials", failure, "failure", "was ok in the base");
  for (const std::string& missing : result.missing)
    add("missing", missing, "error", "is required and not there");
  failures += result.failures.size();
  errors += result.missing.size();
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"upbench compare\" "
      "tests=\"{}\" "
      "failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n{}  </testsuite>\n</testsuites>\n",
      tests, failures, errors, skipped, cases);
}

std::string verdict_json(const GateResult& result) {
  using nlohmann::json;
  const auto number = [](double value) { return std::isfinite(value) ? json(value) : json(); };
  json comparisons = json::array();
  for (const GateComparison& comparison : result.comparisons) {
    json worst = json::array();
    for (const auto& picture : comparison.worst)
      worst.push_back({{"picture", picture.name}, {"worsening", picture.worsening}});
    json counts;  // null but of artifacts
    if (comparison.counts)
      counts = {{"appeared", comparison.counts->only_after}, {"cleared", comparison.counts->only_before}};
    comparisons.push_back({{"cell", comparison.cell},
                           {"metric", comparison.metric},
                           {"unit", comparison.unit},
                           {"verdict", to_string(comparison.verdict)},
                           {"reason", comparison.reason},
                           {"pictures", comparison.pictures},
                           {"base", number(comparison.base)},
                           {"new", number(comparison.now)},
                           {"worsening", number(comparison.worsening)},
                           {"interval", {number(comparison.interval.low), number(comparison.interval.high)}},
                           {"p", number(comparison.p)},
                           {"adjusted_p", number(comparison.adjusted_p)},
                           {"tolerance", comparison.limits.tolerance},
                           {"margin", comparison.limits.margin},
                           {"required", comparison.required},
                           {"counts", counts},
                           {"worst", worst}});
  }
  json causes = json::array();
  for (const GateCause& cause : result.causes)
    causes.push_back({{"basis", to_string(cause.basis)}, {"text", cause.text}, {"cells", cause.cells}});
  const json verdict = {{"schema", "upbench-verdict-1"},    {"exit_code", exit_code_of(result)},
                        {"summary", verdict_line(result)},  {"comparisons", comparisons},
                        {"failures", result.failures},      {"missing", result.missing},
                        {"allowed", result.allowed},        {"added", result.added},
                        {"changed", result.changed},        {"causes", causes},
                        {"cause_notes", result.cause_notes}};
  return verdict.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace upbench
