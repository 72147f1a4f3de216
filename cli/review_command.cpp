#include <fmt/format.h>

#include "cli/command.h"
#include "datasets/safe_text.h"
#include "reports/load_run.h"
#include "reports/review.h"

namespace upbench {
namespace {

struct Options {
  std::filesystem::path store, output = "review.html";
  std::string run;
  ReviewOptions review;
};

int write_page(const Options& options) {
  const Store store(options.store, Store::Access::read);
  const ReviewSummary summary =
      write_review(store, find_run(store, options.run), options.output, options.review);
  if (summary.without_picture > 0)
    fmt::print(stderr,
               "upbench: {} decisions left out: their outputs were not kept (run --keep-outputs all)\n",
               summary.without_picture);
  if (summary.flagged + summary.unflagged == 0)
    throw std::invalid_argument(
        fmt::format("{}: no decision of an artifact detector to review; expected detectors among the run's "
                    "metrics (metrics: [artifacts]) and kept outputs",
                    options.store.string()));
  fmt::print("{}: {} flagged, {} not flagged\n", safe_text(options.output.string()), summary.flagged,
             summary.unflagged);
  return exit_ok;
}

}  // namespace

void add_review_command(CLI::App& program, Command& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_subcommand("review", "Write a page to accept or reject suspected artifacts");
  command->add_option("STORE", options->store, "Store file (.db)")->required();
  command->add_option("--run", options->run, "Run key or its beginning; default: the latest");
  command->add_option("-o,--output", options->output, "Page; its pictures go to NAME_files beside it")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_option("--flagged", options->review.most_flagged, "Of each detector at most; more are sampled")
      ->capture_default_str();
  command
      ->add_option("--unflagged", options->review.unflagged,
                   "Sampled of each detector: they say what it misses")
      ->capture_default_str();
  command->add_option("--seed", options->review.seed, "Of the sample and the order")->capture_default_str();
  command->footer(
      "Example:\n"
      "  upbench review sweep.db -o review.html\n"
      "  upbench calibrate --labels labels.json -o mine.json");
  command->callback([options, &chosen] { chosen = [options] { return write_page(*options); }; });
}

}  // namespace upbench
