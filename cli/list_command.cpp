#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/denoise_table.h"
#include "cli/presets.h"
#include "datasets/degradation/settings.h"
#include "datasets/resample.h"
#include "metrics/catalog.h"
#include "models/catalog.h"
#include "models/diffusion/sampling/sampler.h"
#include "models/diffusion/sampling/sigma_schedule.h"
#include "models/embedded_models.h"
#include "models/model_search.h"

namespace upbench {
namespace {

struct Entry {
  std::string name, description;
};

std::vector<Entry> list_models(const std::vector<std::filesystem::path>& folders) {
  std::vector<Entry> entries;
  for (const BuiltinModel& model : builtin_models()) entries.push_back({model.name, model.description});
  for (const EmbeddedModel& model : embedded_refiners())
    entries.push_back({model.name, "diffusion model of this project, for refine: unconditional, on pixels"});
  for (const std::string& stem : model_stems({.spec_dir = ".", .model_dirs = folders}))
    entries.push_back({stem, "checkpoint file"});
  return entries;
}

std::vector<Entry> list_metrics() {
  std::vector<Entry> entries;
  for (const Metric& metric : metrics())
    entries.push_back(
        {metric.name, fmt::format("{}{} is better; {}", metric.unit.empty() ? "" : metric.unit + ", ",
                                  metric.better == Better::higher ? "higher" : "lower", metric.convention)});
  return entries;
}

std::vector<Entry> list_kernels() {
  std::vector<Entry> entries;
  for (const ResampleKernel& kernel : resample_kernels())
    entries.push_back({kernel.name, kernel.description});
  return entries;
}

std::vector<Entry> list_degradations() {
  std::vector<Entry> entries;
  for (const DegradationKey& key : degradation_keys()) entries.push_back({key.name, key.description});
  return entries;
}

std::vector<Entry> list_schedulers() {
  std::vector<Entry> entries;
  for (const SchedulerRow& row : schedulers()) entries.push_back({row.name, row.description});
  return entries;
}

std::vector<Entry> list_samplers() {
  std::vector<Entry> entries;
  for (const SamplerRow& row : samplers())
    entries.push_back({row.name, fmt::format("{}; {} evaluation{} a step", row.description, row.evaluations,
                                             row.evaluations == 1 ? "" : "s")});
  return entries;
}

std::vector<Entry> list_presets() {
  std::vector<Entry> entries;
  for (const Preset& preset : presets()) entries.push_back({preset.name, preset.question});
  return entries;
}

void print(const std::vector<Entry>& entries, bool json) {
  if (json) {
    nlohmann::json list = nlohmann::json::array();
    for (const Entry& entry : entries)
      list.push_back({{"name", entry.name}, {"description", entry.description}});
    fmt::print("{}\n", list.dump(2));
    return;
  }
  std::size_t width = 0;
  for (const Entry& entry : entries) width = std::max(width, entry.name.size());
  for (const Entry& entry : entries) fmt::print("{:<{}}  {}\n", entry.name, width, entry.description);
}

}  // namespace

void add_list_command(CLI::App& program, Command& chosen) {
  struct Options {
    std::string what;
    std::vector<std::filesystem::path> models;
    int steps = 20;
    std::string scheduler = "karras";
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("list", "List what a spec may name");
  command
      ->add_option("WHAT", options->what,
                   "models, metrics, kernels, degradations, samplers, schedulers, denoise (what tools make "
                   "of it) or presets")
      ->required()
      ->check(CLI::IsMember(
          {"models", "metrics", "kernels", "degradations", "samplers", "schedulers", "denoise", "presets"}));
  command
      ->add_option("--models", options->models, "Also list the model files in this folder (may be repeated)")
      ->type_name("DIR");
  command->add_option("--steps", options->steps, "denoise: steps as the user sets them")
      ->capture_default_str();
  command->add_option("--scheduler", options->scheduler, "denoise: one of `list schedulers`")
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print it as JSON");
  command->footer(
      "Examples:\n  upbench list metrics\n  upbench list models --models ~/models\n"
      "  upbench list denoise --steps 30 --scheduler uniform");
  command->callback([options, &chosen] {
    chosen = [options] {
      if (options->what == "models") print(list_models(options->models), options->json);
      if (options->what == "metrics") print(list_metrics(), options->json);
      if (options->what == "kernels") print(list_kernels(), options->json);
      if (options->what == "degradations") print(list_degradations(), options->json);
      if (options->what == "samplers") print(list_samplers(), options->json);
      if (options->what == "schedulers") print(list_schedulers(), options->json);
      if (options->what == "denoise")
        fmt::print("{}\n", denoise_table(options->steps, options->scheduler, options->json));
      if (options->what == "presets") print(list_presets(), options->json);
      return static_cast<int>(exit_ok);
    };
  });
}

}  // namespace upbench
