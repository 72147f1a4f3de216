#include "cli/dataset_command.h"

#include "harness/spec/manifest.h"

namespace upbench {

ImageSetSpec set_argument(const std::filesystem::path& set, const std::vector<std::string>& tags, int scale,
                          const std::string& kernel) {
  ImageSetSpec spec;
  if (set.extension() == ".yaml" || set.extension() == ".yml") {
    spec = read_set(set);
    if (!tags.empty()) spec.tags = tags;
  } else {
    if (!tags.empty()) throw std::invalid_argument("--tags: expected with a manifest (.yaml) only");
    (scale > 0 ? spec.path : spec.lr) = set;
  }
  if (scale > 0) spec.make_lr = ImageSetSpec::LowResolution{.scale = scale, .kernel = kernel};
  return spec;
}

void add_dataset_command(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand("dataset", "Check picture sets, and make low-resolution ones");
  command->require_subcommand(1);
  add_dataset_check(*command, chosen);
  add_dataset_make(*command, chosen);
  command->footer(
      "Examples:\n"
      "  upbench dataset check photos/\n"
      "  upbench dataset make set/ --from photos/ --scale 4");
}

}  // namespace upbench
