#include "reports/page.h"

#include <regex>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reports/assets.h"
#include "reports/render/base64.h"
#include "reports/report.h"
#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

std::string element(const std::string& page, const std::string& open) {
  const std::size_t begin = page.find(open);
  if (begin == std::string::npos) return {};
  const std::size_t text = begin + open.size();
  return page.substr(text, page.find("</script>", text) - text);
}

TEST(Page, PolicyAllowsItsOwnScriptsAndNothingElse) {
  const std::string page = report_html(test::sample_run());
  const std::size_t begin = page.find("script-src ");
  const std::string policy = page.substr(begin, page.find(';', begin) - begin);
  const std::regex hash("'sha256-([A-Za-z0-9+/]{43}=)'");
  std::vector<std::string> hashes;
  for (std::sregex_iterator at(policy.begin(), policy.end(), hash), end; at != end; ++at)
    hashes.push_back((*at)[1]);
  EXPECT_EQ(std::regex_replace(policy, hash, "H"), "script-src H H H H H H");
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  std::size_t at = 0;
  for (const std::string& expected : hashes) {
    at = page.find("<script>", at) + 8;
    const Digest digest = sha256(std::string_view(page).substr(at, page.find("</script>", at) - at));
    EXPECT_EQ(expected, base64(digest.bytes));
  }
  EXPECT_EQ(page.find("<script>", at), std::string::npos);
}

TEST(Page, ScriptsNeverMakeMarkupOrCodeOfText) {
  for (const char* banned :
       {"eval(", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "new Function"})
    for (const std::string_view script :
         {assets::table_script(), assets::plots_script(), assets::viewer_controls_script(),
          assets::viewer_script(), assets::main_script()})
      EXPECT_EQ(script.find(banned), std::string_view::npos) << banned;
}

TEST(Page, NothingIsLoadedFromElsewhere) {
  std::string page = report_html(test::sample_run());
  page.erase(page.find("<script"));
  EXPECT_FALSE(std::regex_search(page, std::regex("(src|href)=\"(?!#)|url\\(|@import")));
}

TEST(Page, PlotDataParsesAndHasOneTargetEach) {
  const std::string page = report_html(test::hostile_run("</script><b>"));
  const std::string data = element(page, "<script type=\"application/json\" id=\"plot-data\">");
  EXPECT_EQ(data.find('<'), std::string::npos);
  const nlohmann::json plots = nlohmann::json::parse(data);
  ASSERT_GT(plots.size(), 0U);
  for (std::size_t i = 0; i < plots.size(); ++i)
    EXPECT_NE(page.find("id=\"plot-" + std::to_string(i) + "\""), std::string::npos);
  EXPECT_EQ(page.find("id=\"plot-" + std::to_string(plots.size()) + "\""), std::string::npos);
}

TEST(Page, CellsCarryTheUnroundedValue) {
  RunData data = test::sample_run();
  data.scores[0].value = 30.123456789;
  EXPECT_NE(report_html(data).find("<td class=\"n\" data-v=\"30.123456789\">30.12</td>"), std::string::npos);
}

TEST(Page, ARunWithoutAnyResultStillHasAPage) {
  const std::string page = report_html(test::unfinished_run());
  EXPECT_NE(page.find("No trial has finished."), std::string::npos);
  EXPECT_EQ(page.find("<script type=\"application/json\""), std::string::npos);
}

}  // namespace
}  // namespace upbench
