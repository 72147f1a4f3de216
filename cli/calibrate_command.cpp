#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output_file.h"
#include "cli/progress.h"
#include "harness/calibration/calibrate.h"
#include "harness/calibration/labels.h"
#include "harness/device.h"
#include "metrics/artifacts/calibration.h"

namespace upbench {
namespace {

struct Options {
  CalibrateOptions calibrate;
  std::filesystem::path output = "-", markdown, values, labels;
};

std::string read_all(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::invalid_argument(fmt::format("{}: cannot be read", file.string()));
  return {std::istreambuf_iterator<char>(stream), {}};
}

int run_calibrate(Options options) {
  if (!options.labels.empty()) {
    write_output(options.output, calibration_with_labels(embedded_calibrations_text(),
                                                         read_all(options.labels), options.labels.string()));
    return exit_ok;
  }
  if (options.calibrate.threads == 0) options.calibrate.threads = available_threads();
  CalibrationFigures figures;
  {
    StatusLine line;
    options.calibrate.progress = [&line](std::uint64_t done, std::uint64_t all) {
      show_pictures(line, done, all);
    };
    figures = calibrate(options.calibrate);
  }
  write_output(options.output, calibration_json(figures).dump(2) + "\n");
  if (!options.markdown.empty()) write_output(options.markdown, calibration_markdown(figures));
  if (!options.values.empty()) write_output(options.values, calibration_values(figures));
  int code = exit_ok;
  for (const EvidenceCalibration& calibration : figures.by) {
    const DetectorCounts& together = calibration.together;
    if (1 - together.specificity() <= kMostFalsePositives) continue;
    fmt::print(stderr,
               "upbench: calibrate: judged by the {}, the gating detectors flag {} of {} clean held-out "
               "pictures; expected at most {:g} %\n",
               to_string(calibration.evidence), together.clean - together.passed, together.clean,
               100 * kMostFalsePositives);
    code = exit_incomplete;
  }
  return code;
}

}  // namespace

void add_calibrate_command(CLI::App& program, Command& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "calibrate", "Measure how often the artifact detectors are right, on defects made on purpose");
  command->add_option("-o,--output", options->output, "Calibration file (JSON); - is standard output")
      ->capture_default_str();
  command->add_option("--markdown", options->markdown, "The same as a table")->type_name("FILE");
  command->add_option("--values", options->values, "Every value of every detector, tab separated")
      ->type_name("FILE");
  CalibrateOptions& calibrate = options->calibrate;
  command->add_option("--seed", calibrate.seed, "Of the pictures and defects")->capture_default_str();
  command->add_option("--tuning", calibrate.tuning, "Pictures that thresholds are set on")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_option("--held-out", calibrate.held_out, "Other pictures, that everything is measured on")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_option("--size", calibrate.size, "Side of the pictures, a multiple of 12")
      ->capture_default_str();
  command->add_option("--real", calibrate.real, "Folder of real pictures without defects, held out, too")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  command->add_option("--threads", calibrate.threads, "0: every processor; the file is the same")
      ->check(CLI::Range(0, 4096))
      ->default_val(0);
  command
      ->add_option("--labels", options->labels,
                   "Instead: your own labels, from the page of `upbench review`; writes the calibration of "
                   "this program with sensitivity and specificity on your pictures")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  command->footer(
      "Examples:\n"
      "  upbench calibrate -o calibration.json --markdown calibration.md\n"
      "  upbench calibrate --labels labels.json -o mine.json\n"
      "Exit code 3: the gating detectors flag more than 1 % of clean pictures.");
  command->callback([options, &chosen] { chosen = [options] { return run_calibrate(*options); }; });
}

}  // namespace upbench
