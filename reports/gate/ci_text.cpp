#include "reports/gate/ci_text.h"

#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "datasets/digest.h"
#include "reports/gate/verdict_text.h"
#include "reports/render/format.h"

namespace upbench {
namespace {

struct Issue {
  bool failure = true;  // else it is not known
  std::string title, text;
  std::string identity;  // the same in the next comparison
};

std::vector<Issue> issues_of(const GateResult& result) {
  std::vector<Issue> issues;
  for (const GateComparison& comparison : result.comparisons) {
    const bool regressed = comparison.verdict == GateVerdict::regressed;
    const bool untold = comparison.required && (comparison.verdict == GateVerdict::cannot_tell ||
                                                comparison.verdict == GateVerdict::not_comparable);
    if (!regressed && !untold) continue;
    std::string text = fmt::format("{}: {}", comparison.cell, described(comparison));
    if (const std::string why = causes_of(result, comparison.cell); regressed && !why.empty())
      text += "; why: " + why;
    issues.push_back({regressed, fmt::format("{} {}", comparison.metric, to_string(comparison.verdict)),
                      std::move(text), comparison.cell + "\n" + comparison.metric});
  }
  for (const std::string& failure : result.failures)
    issues.push_back({true, "trial lost", failure, "trial\n" + failure.substr(0, failure.find(": "))});
  for (const std::string& missing : result.missing)
    issues.push_back({false, "missing", missing, "missing\n" + missing});
  return issues;
}

// What GitHub's runner reads as ends of a value.
std::string escaped(std::string_view text, bool property) {
  std::string safe;
  for (const char c : clean_sentence(text)) {
    if (c == '%' || (property && (c == ':' || c == ',')))
      safe += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else
      safe += c;
  }
  return safe;
}

constexpr std::size_t kMostAnnotations = 10;

std::string annotations(const std::vector<Issue>& issues, bool failures) {
  std::string text;
  std::size_t shown = 0, all = 0;
  for (const Issue& issue : issues) all += issue.failure == failures ? 1 : 0;
  for (const Issue& issue : issues) {
    if (issue.failure != failures) continue;
    const bool last = ++shown == kMostAnnotations && all > kMostAnnotations;
    text += fmt::format("::{} title={}::{}{}\n", failures ? "error" : "warning",
                        escaped("upbench: " + issue.title, true), escaped(issue.text, false),
                        last ? fmt::format("; and {} more", all - shown) : "");
    if (last) break;
  }
  return text;
}

}  // namespace

std::string github_annotations(const GateResult& result) {
  const std::vector<Issue> issues = issues_of(result);
  return annotations(issues, true) + annotations(issues, false);
}

std::string code_quality_json(const GateResult& result, const std::string& path) {
  using nlohmann::json;
  json list = json::array();
  for (const Issue& issue : issues_of(result))
    list.push_back({{"description", clean_sentence(issue.title + ": " + issue.text)},
                    {"check_name", "upbench compare"},
                    {"fingerprint", sha256(issue.identity).hex()},
                    {"severity", issue.failure ? "major" : "minor"},
                    {"location", {{"path", path}, {"lines", {{"begin", 1}}}}}});
  return list.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string verdict_badge(const GateResult& result) {
  const int code = exit_code_of(result);
  const std::string_view text = code == 0 ? "no regression" : code == 1 ? "regression" : "cannot tell";
  const std::string_view colour = code == 0 ? "#2a7d2e" : code == 1 ? "#b3261e" : "#5f6368";
  constexpr int kLetter = 7, kPadding = 12,
                kName = 7 * kLetter + kPadding;  // "upbench"; textLength fits any font
  const int length = static_cast<int>(text.size()) * kLetter, width = kName + length + kPadding;
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"20\" role=\"img\" "
      "aria-label=\"upbench: "
      "{1}\">\n"
      "<title>upbench: {1}</title>\n"
      "<rect width=\"{0}\" height=\"20\" rx=\"3\" fill=\"#3c4043\"/>\n"
      "<path d=\"M{2} 0h{3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{3}z\" fill=\"{4}\"/>\n"
      "<g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">\n"
      "<text x=\"{5}\" y=\"14\" textLength=\"{6}\">upbench</text>\n"
      "<text x=\"{7}\" y=\"14\" textLength=\"{8}\">{1}</text>\n"
      "</g>\n</svg>\n",
      width, text, kName, width - kName - 3, colour, kPadding / 2, kName - kPadding, kName + kPadding / 2,
      length);
}

}  // namespace upbench
