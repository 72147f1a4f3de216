#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/output_file.h"
#include "reports/report.h"

namespace upbench {
namespace {

struct ReportOptions {
  std::vector<std::filesystem::path> stores;
  std::string run;
  std::filesystem::path html, markdown, csv, json, latex, plots;
  double embed_limit = 32;  // MB
  bool full_pictures = false;
};

GalleryOptions gallery_options(const ReportOptions& options) {
  GalleryOptions gallery{.embed_limit = static_cast<std::size_t>(options.embed_limit * 1e6)};
  if (options.full_pictures)
    gallery.full_pictures = options.html.parent_path() / (options.html.stem().string() + "_files");
  return gallery;
}

int report(const ReportOptions& options) {
  const RunData data = load_runs(options.stores, options.run);
  bool written = false;
  const auto render = [&](const std::filesystem::path& target, std::string (*renderer)(const RunData&)) {
    if (target.empty()) return;
    write_output(target, renderer(data));
    written = true;
  };
  if (!options.html.empty()) {
    write_output(options.html, report_html(data, gallery_options(options)));
    written = true;
  }
  render(options.markdown, report_markdown);
  render(options.csv, report_csv);
  render(options.json, report_json);
  render(options.latex, report_latex);
  if (!options.plots.empty()) {
    write_plots(data, options.plots);
    fmt::print(stderr, "upbench: wrote {}/*.vl.json\n", options.plots.string());
    written = true;
  }
  if (!written) write_output("-", report_markdown(data));
  return exit_ok;
}

}  // namespace

void add_report_command(CLI::App& program, Command& chosen) {
  auto options = std::make_shared<ReportOptions>();
  CLI::App* command = program.add_subcommand("report", "Turn a store into a page, tables and plots");
  command->add_option("STORE", options->stores, "Store files (.db)")->required();
  command->add_option("--run", options->run,
                      "Run key or its beginning (upbench status lists them); default: the latest");
  command->add_option("--html", options->html, "One self-contained page")->type_name("FILE");
  command
      ->add_option("--embed-limit", options->embed_limit,
                   "Pictures in the page, at most (MB, default 32): whole ones where all fit, else crops")
      ->type_name("MB")
      ->check(CLI::Range(0.0, 1000.0));
  command->add_flag("--full-pictures", options->full_pictures,
                    "Also whole pictures, in the folder NAME_files beside the page");
  command->add_option("--markdown", options->markdown, "The same as text; - is standard output")
      ->type_name("FILE");
  command->add_option("--csv", options->csv, "One row per trial; - is standard output")->type_name("FILE");
  command->add_option("--json", options->json, "Every table; - is standard output")->type_name("FILE");
  command->add_option("--latex", options->latex, "Ranking table for a paper")->type_name("FILE");
  command->add_option("--plots", options->plots, "Folder for Vega-Lite specs (NAME.vl.json)")
      ->type_name("DIR");
  command->footer(
      "Examples:\n"
      "  upbench report quickstart.db --html report.html\n"
      "  upbench report quickstart.db --csv - | head");
  command->callback([options, &chosen] { chosen = [options] { return report(*options); }; });
}

}  // namespace upbench
