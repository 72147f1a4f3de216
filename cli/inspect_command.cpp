#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "models/inspect.h"

namespace upbench {
namespace {

void print_entry(const std::string& name, const nlohmann::json& value, const std::string& indent) {
  if (value.is_object()) {
    fmt::print("{}{}\n", indent, name);
    for (const auto& [key, inner] : value.items()) print_entry(key, inner, indent + "  ");
    return;
  }
  fmt::print("{}{:<{}} {}\n", indent, name, 18 - static_cast<int>(indent.size()),
             value.is_string() ? value.get<std::string>() : value.dump());
}

}  // namespace

void add_inspect_command(CLI::App& program, Command& chosen) {
  struct Options {
    std::filesystem::path file;
    InspectOptions inspect;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_subcommand("inspect", "Say what a checkpoint file is, and why it is taken for that");
  command->add_option("FILE", options->file, "Checkpoint: .safetensors, .pth, .pt, .ckpt")->required();
  command
      ->add_option("--param-key", options->inspect.param_key,
                   "Take the tensors under this key (params_ema, state_dict/params; '.': the outermost)")
      ->type_name("KEY");
  command->add_flag("--header", options->inspect.header_only,
                    "List the tensors without reading them: instant for any size");
  command->add_flag("--json", options->json, "Print it as JSON");
  command->footer(
      "Examples:\n  upbench inspect RealESRGAN_x4plus.pth\n  upbench inspect huge.safetensors --header");
  command->callback([options, &chosen] {
    chosen = [options] {
      const nlohmann::json facts = inspect_checkpoint(options->file, options->inspect);
      if (options->json)
        fmt::print("{}\n", facts.dump(2));
      else
        for (const auto& [name, value] : facts.items()) print_entry(name, value, "");
      return static_cast<int>(exit_ok);
    };
  });
}

}  // namespace upbench
