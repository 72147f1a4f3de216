#pragma once

#include <string>
#include <string_view>
#include <vector>

// The ways to enlarge latents by name; how they compute is in models/diffusion/latent_resize.h.
namespace upbench {

// The first six are the "Latent" upscalers of A1111's hires fix, torch's interpolate() with align_corners
// off; bislerp is ComfyUI's.
enum class LatentResize {
  bilinear,  // "Latent"
  bilinear_antialiased,
  bicubic,
  bicubic_antialiased,
  nearest,
  nearest_exact,
  bislerp,
};

struct LatentResizeRow {
  LatentResize mode;
  std::string name, description;
};
const std::vector<LatentResizeRow>& latent_resizes();
// "latent", "latent-antialiased", ..., "latent-bislerp".
bool is_latent_resize(std::string_view name);
LatentResize parse_latent_resize(std::string_view name);  // throws std::invalid_argument with these

}  // namespace upbench
