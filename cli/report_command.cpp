#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/output_file.h"
#include "cli/report_extras.h"
#include "reports/report.h"

namespace upbench {
namespace {

struct ReportOptions {
  std::vector<std::filesystem::path> stores;
  std::string run;
  std::filesystem::path html, markdown, csv, json, latex, plots, sheet, history;
  double embed_limit = 32;  // MB
  bool full_pictures = false;
  bool watch = false;
  double interval = 5;  // s
};

GalleryOptions gallery_options(const ReportOptions& options) {
  GalleryOptions gallery{.embed_limit = static_cast<std::size_t>(options.embed_limit * 1e6)};
  if (options.full_pictures)
    gallery.full_pictures = options.html.parent_path() / (options.html.stem().string() + "_files");
  return gallery;
}

// refresh: of the page, in seconds; 0: none.
int write_reports(const ReportOptions& options, double refresh = 0) {
  const RunData data = load_runs(options.stores, options.run);
  std::optional<HistoryReport> history;
  if (!options.history.empty()) history = report_history(read_history(options.history));
  const HistoryReport* shown_history = history ? &*history : nullptr;
  bool written = false;
  const auto render = [&](const std::filesystem::path& target, std::string (*renderer)(const RunData&)) {
    if (target.empty()) return;
    write_output(target, renderer(data));
    written = true;
  };
  const auto stream = [&](const std::filesystem::path& target,
                          void (*writer)(const RunData&, const TextSink&)) {
    if (target.empty()) return;
    write_output(target, [&](const TextSink& write) { writer(data, write); });
    written = true;
  };
  if (!options.html.empty()) {
    const std::string page = report_html(data, gallery_options(options), shown_history);
    write_output(options.html, refresh > 0 ? refreshing(page, std::chrono::duration<double>(refresh)) : page);
    written = true;
  }
  render(options.markdown, report_markdown);
  stream(options.csv, write_csv);
  stream(options.json, write_json);
  render(options.latex, report_latex);
  if (!options.plots.empty()) {
    write_plots(data, options.plots, shown_history);
    fmt::print(stderr, "upbench: wrote {}/*.vl.json\n", options.plots.string());
    written = true;
  }
  if (!options.sheet.empty()) {
    write_sheet(data, options.stores, options.sheet);
    written = true;
  }
  if (!written) write_output("-", report_markdown(data));
  return exit_ok;
}

int report(const ReportOptions& options) {
  if (!options.watch) return write_reports(options);
  require_watchable({options.html, options.markdown, options.csv, options.json, options.latex, options.plots},
                    options.sheet);
  return watch_report({.stores = options.stores,
                       .run = options.run,
                       .interval = std::chrono::duration<double>(options.interval)},
                      [&](bool is_last) { write_reports(options, is_last ? 0 : options.interval); });
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
  command
      ->add_option("--history", options->history,
                   "Results over many versions (upbench history add): their plots go into the page and DIR")
      ->type_name("FILE");
  command
      ->add_option("--sheet", options->sheet,
                   "Contact sheet of all kept outputs, pixel for pixel: FILE.png (or NAME-N.png, where one "
                   "would be larger than 16384 pixels), or FILE.dzi with tiles in NAME_files")
      ->type_name("FILE");
  command->add_flag("--watch", options->watch,
                    "Write again whenever more trials have finished, until none is left; a page then reloads "
                    "itself. Waits for a store that is not there yet");
  command->add_option("--interval", options->interval, "Least time between two writes of --watch (default 5)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.25, 86400.0));
  command->footer(
      "Examples:\n"
      "  upbench report quickstart.db --html report.html\n"
      "  upbench report quickstart.db --csv - | head\n"
      "  upbench report sweep.db --html report.html --watch\n"
      "  upbench report sweep.db --sheet sheet.png");
  command->callback([options, &chosen] { chosen = [options] { return report(*options); }; });
}

}  // namespace upbench
