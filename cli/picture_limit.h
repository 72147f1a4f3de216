#pragma once

#include <CLI/CLI.hpp>

namespace upbench {

// --max-megapixels of every command that reads pictures; 0: not given. See limited_to().
void add_max_megapixels(CLI::App& command, int& value);

}  // namespace upbench
