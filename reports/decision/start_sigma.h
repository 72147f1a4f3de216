#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/analysis.h"

// "Denoise 0.4" is another amount of noise in every tool, with every scheduler and number of steps. Cells
// state the sigma that theirs starts from and what that is elsewhere; responses are over that sigma.
namespace upbench {

// What a strength depends on beside the tool.
struct DenoiseContext {
  int steps = 0;  // as set in the tool
  std::string scheduler, sampler;
  bool operator==(const DenoiseContext&) const = default;
};

// One stage of one cell.
struct DenoiseStart {
  struct Tool {
    std::string rule;        // "a1111"
    double denoise = 0;      // the strength whose start is nearest,
    double start_sigma = 0;  // that start,
    int steps = 0;           // and the steps that it makes
  };
  double sigma = 0;  // 0: no step is made
  DenoiseContext context;
  std::vector<Tool> tools;  // that come near it; without "sigma", which is the level itself
};

// Of each cell, from its settings; nothing where it has no such stage. Empty unless the axis is the denoise
// of a stage and every cell that has it states its levels.
using DenoiseStarts = std::vector<std::optional<DenoiseStart>>;
DenoiseStarts denoise_starts(const Analysis& analysis, std::size_t axis);

// A start sigma in every tool's denoise.
struct DenoiseTranslation {
  struct Tool {
    std::string rule;
    double denoise = 0;
  };
  std::string context;      // "20 steps, karras"
  std::vector<Tool> tools;  // without those that have no strength near it
};

// One for each context of the given cells. Between two stored strengths of a tool the logarithm of sigma is
// taken as linear in denoise, rounded to 0.01; where the tool has nothing between them, as it would make half
// a step, and beyond them the nearest counts unless it is off by more than 1.25 times.
std::vector<DenoiseTranslation> translate_sigma(double sigma, const DenoiseStarts& starts,
                                                const std::vector<std::uint32_t>& cells);

// "0.35 in A1111's img2img and stable-diffusion.cpp, 0.40 in diffusers"; empty: in none.
std::string tools_text(const std::vector<DenoiseTranslation::Tool>& tools);
std::string tools_text(const DenoiseStart& start);  // of what the cell states
std::string tool_name(
    const std::string& rule);  // "A1111's img2img"; as `upbench list denoise` names the rules

}  // namespace upbench
