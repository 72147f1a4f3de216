#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/dataset_command.h"
#include "cli/left_out.h"
#include "cli/picture_limit.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "datasets/codec/encode.h"
#include "datasets/make_set.h"
#include "datasets/safe_text.h"
#include "harness/device.h"
#include "harness/environment.h"

namespace upbench {
namespace {

struct MakeOptions {
  std::filesystem::path folder, from;
  std::vector<std::string> procedural, tags, degrade;
  int count = ImageSetSpec::Procedural().count, size = ImageSetSpec::Procedural().size, scale = 0, jobs = 0,
      max_megapixels = 0;
  std::string kernel = ImageSetSpec::LowResolution().kernel, name, licence;
  std::uint64_t seed = 0;
  bool crop = false, force = false, verify = false, json = false;
};

ImageSetSpec source_of(const MakeOptions& options) {
  if (options.from.empty() == options.procedural.empty())
    throw std::invalid_argument("dataset make: expected --from SET or --procedural CLASSES, one of the two");
  if (!options.from.empty()) return set_argument(options.from, options.tags, options.scale, options.kernel);
  ImageSetSpec spec;
  spec.procedural = {
      .classes = options.procedural, .count = options.count, .size = options.size, .seed = options.seed};
  if (options.procedural == std::vector<std::string>{"all"}) spec.procedural->classes.clear();
  spec.make_lr = ImageSetSpec::LowResolution{.scale = options.scale, .kernel = options.kernel};
  return spec;
}

DegradeText degradation_of(const MakeOptions& options) {
  DegradeText keys;
  for (const std::string& setting : options.degrade) {
    const std::size_t equals = setting.find('=');
    if (equals == setting.npos || equals == 0)
      throw std::invalid_argument(
          fmt::format("--degrade {}: expected KEY=VALUE, for instance blur.sigma=1.2", setting));
    keys.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
    if (keys.back().first == "scale" || keys.back().first == "kernel")
      throw std::invalid_argument(fmt::format("--degrade {}: expected as --{}", setting, keys.back().first));
  }
  return keys;
}

std::string degradation_help() {
  std::string text = "Keys of --degrade:\n";
  for (const DegradationKey& key : degradation_keys())
    if (key.name != "scale" && key.name != "kernel")
      text += fmt::format("  {:<16} {}\n", key.name, key.description);
  return text;
}

void print_result(const MadeSet& made, const MakeOptions& options) {
  if (options.json) {
    nlohmann::json failures = nlohmann::json::array();
    for (const std::string& failure : made.failures) failures.push_back(safe_text(failure));
    fmt::print("{}\n", nlohmann::json{{"manifest", safe_text(made.manifest.string())},
                                      {"pictures", made.pictures},
                                      {"failures", failures},
                                      {"left_out", left_out_json(made.left_out)},
                                      {"strangers", made.strangers}}
                           .dump(2));
    return;
  }
  note_left_out(made.left_out);
  for (const std::string& failure : made.failures) fmt::print(stderr, "upbench: {}\n", safe_text(failure));
  if (made.strangers > 0)
    fmt::print(stderr, "upbench: {}: {} files there are not of this set\n",
               safe_text(options.folder.string()), made.strangers);
  if (made.manifest.empty()) {
    fmt::print(
        stderr, "upbench: no manifest written: {}\n",
        made.pictures == 0 ? "no picture could be made" : "stopped; go on with the same command and --force");
    return;
  }
  fmt::print("{}: {} pictures{}, {} failed. In a spec: images: {{manifest: {}}}\n",
             safe_text(made.manifest.string()), made.pictures, options.verify ? ", read back" : "",
             made.failures.size(), safe_text(made.manifest.string()));
}

int make(const MakeOptions& options) {
  const int jobs = options.jobs > 0 ? options.jobs : available_threads();
  set_operator_threads(1);
  MakeSetOptions how{.source = source_of(options),
                     .degrade = degradation_of(options),
                     .name = options.name,
                     .licence = options.licence,
                     .seed = options.seed,
                     .crop = options.crop,
                     .force = options.force,
                     .jobs = jobs,
                     .made_by = "upbench " + program_version(),
                     .on_progress = {},
                     .stop = &catch_stop_signals()};
  if (options.max_megapixels > 0) how.source.max_megapixels = options.max_megapixels;
  if (options.verify) how.verify = require_decodes_to;
  MadeSet made;
  {
    StatusLine line;
    if (!options.json)
      how.on_progress = [&](std::size_t done, std::size_t total) { show_pictures(line, done, total); };
    made = make_set(options.folder, how);
  }
  print_result(made, options);
  if (const int stopped = stop_exit_code(); stopped != 0) return stopped;
  return made.failures.empty() ? exit_ok : exit_incomplete;
}

void add_source_options(CLI::App& command, MakeOptions& options) {
  command
      .add_option("--from", options.from,
                  "References: folder, picture, pattern ('photos/**/*.png'), list (.txt), manifest (.yaml)")
      ->type_name("SET");
  command
      .add_option("--procedural", options.procedural,
                  "Instead of --from: draw pictures of these classes (comma-separated; all: every class)")
      ->delimiter(',')
      ->type_name("CLASSES");
  command.add_option("--count", options.count, "Procedural pictures in all")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command.add_option("--size", options.size, "Side of procedural pictures in pixels")
      ->check(CLI::Range(16, 4096))
      ->capture_default_str();
  command
      .add_option("--tags", options.tags, "Comma-separated: of a manifest, the items that have one of these")
      ->delimiter(',');
  add_max_megapixels(command, options.max_megapixels);
}

}  // namespace

void add_dataset_make(CLI::App& dataset, Command& chosen) {
  auto options = std::make_shared<MakeOptions>();
  CLI::App* command = dataset.add_subcommand(
      "make", "Write a set of low-resolution pictures with their references and a manifest");
  command->add_option("OUT", options->folder, "Folder to make: hr/, lr/ and set.yaml")->required();
  add_source_options(*command, *options);
  command->add_option("--scale", options->scale, "How many times smaller")
      ->required()
      ->check(CLI::Range(1, 16));
  command->add_option("--kernel", options->kernel, "Resampling kernel (upbench list kernels)")
      ->capture_default_str();
  command
      ->add_option("--degrade", options->degrade,
                   "Also degrade the inputs; comma-separated, may be repeated, keys below")
      ->delimiter(',')
      ->type_name("KEY=VALUE");
  command->add_option("--seed", options->seed, "Of everything drawn at random")->capture_default_str();
  command->add_flag("--crop", options->crop,
                    "Write references cut to a multiple of the scale, as they are cut anyway when scored");
  command->add_option("--name", options->name, "The set's name, for the manifest");
  command->add_option("--licence", options->licence, "The pictures' licence, for the manifest");
  command->add_option("--jobs", options->jobs, "Pictures at a time; 0: one a processor")
      ->check(CLI::Range(0, 4096));
  command->add_flag(
      "--force", options->force,
      "Write into a folder that is not empty: files of the same names are replaced, none removed");
  command->add_flag(
      "--verify", options->verify,
      "Read each file back and compare its pixels before it takes its name: a picture whose file "
      "differs fails");
  command->add_flag("--json", options->json, "Print the outcome as JSON, no progress");
  command->footer(
      degradation_help() +
      "The same pictures and settings give the same bytes; a picture's files depend on no other picture. "
      "The\n"
      "manifest is written last: where it is missing, the set is unfinished.\n"
      "Examples:\n"
      "  upbench dataset make set/ --from photos/ --scale 4\n"
      "  upbench dataset make jpeg/ --from photos/ --scale 4 --degrade blur.sigma=1.2,jpeg=60 --seed 1\n"
      "  upbench dataset make drawn/ --procedural all --count 60 --size 512 --scale 2 --kernel area --seed "
      "7\n"
      "and then, in a spec: images: {manifest: set/set.yaml}");
  command->callback([options, &chosen] { chosen = [options] { return make(*options); }; });
}

}  // namespace upbench
