#include "reports/report.h"

#include <clocale>
#include <filesystem>
#include <fstream>
#include <locale>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Report, CostColumnsAreTheOnlyOnesThatMayDiffer) {
  // The contract of the CSV: without its cost_ columns it is the same for the same spec.
  const std::string csv = report_csv(test::sample_run());
  const std::string header = csv.substr(0, csv.find("\r\n"));
  EXPECT_EQ(header,
            "upscale.model,upscale.tile,picture,seed,psnr-y,ssim-y,lpips-alex,status,reason,"
            "flags,same_as,cost_model_s,"
            "cost_sweep_s,cost_peak_bytes");
}

TEST(Report, NothingFinished) {
  const RunData data = test::unfinished_run();
  const std::string markdown = report_markdown(data);
  EXPECT_THAT(markdown, HasSubstr("- No trial has finished."));
  EXPECT_THAT(markdown, HasSubstr("12 of 12 trials are still to do"));
  EXPECT_THAT(report_csv(data), HasSubstr("lanczos,none,a,0,,,,pending,,,,,,"));
  EXPECT_TRUE(nlohmann::json::accept(report_json(data)));
}

TEST(Report, AllFailed) {
  RunData data;
  data.plan = test::sample_run().plan;
  for (std::uint32_t cell = 0; cell < 4; ++cell)
    for (std::uint32_t image = 0; image < 3; ++image)
      data.add({.cell = cell,
                .image = image,
                .finished = true,
                .status = Status::failed,
                .reason = "no such device"});
  const std::string markdown = report_markdown(data);
  EXPECT_THAT(markdown, HasSubstr("- No trial succeeded."));
  EXPECT_THAT(markdown, HasSubstr("| failed | lanczos · tile none | no such device | 3 | a, b, c |"));
  EXPECT_THAT(markdown, Not(HasSubstr("nan")));
  EXPECT_THAT(report_html(data), HasSubstr("<tr data-status=\"failed\">"));
}

TEST(Report, EmptyPlan) {
  const RunData data;
  for (const auto& report :
       {report_markdown(data), report_csv(data), report_json(data), report_latex(data), report_html(data)})
    EXPECT_THAT(report, Not(HasSubstr("nan")));
}

TEST(Report, WithoutReferenceSaysSo) {
  RunData data = test::sample_run();
  for (ImageRow& image : data.plan.images) image.reference = {};
  EXPECT_THAT(report_markdown(data), HasSubstr("3 of 3 pictures have no reference"));
}

// What a German locale does to numbers, whether or not the machine has one installed.
struct German : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

TEST(Report, DoesNotDependOnTheLocale) {
  const RunData data = test::sample_run();
  const std::string before[] = {report_markdown(data), report_csv(data), report_json(data),
                                report_latex(data), report_html(data)};
  const std::locale old = std::locale::global(std::locale(std::locale::classic(), new German));
  std::setlocale(LC_ALL, "de_DE.UTF-8");
  const std::string after[] = {report_markdown(data), report_csv(data), report_json(data), report_latex(data),
                               report_html(data)};
  std::locale::global(old);
  std::setlocale(LC_ALL, "C");
  for (std::size_t i = 0; i < std::size(before); ++i) EXPECT_EQ(before[i], after[i]);
}

TEST(Report, WritesOneSpecificationAPlot) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "upbench_report_plots";
  std::filesystem::remove_all(folder);
  write_plots(test::sample_run(), folder);
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_TRUE(entry.path().filename().string().ends_with(".vl.json"));
    std::ifstream file(entry.path());
    EXPECT_EQ(nlohmann::json::parse(file)["$schema"], "https://vega.github.io/schema/vega-lite/v6.json");
    ++count;
  }
  EXPECT_EQ(count, 12U);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace upbench
