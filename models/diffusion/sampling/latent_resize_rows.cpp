#include "models/diffusion/sampling/latent_resize_rows.h"

#include <algorithm>

#include "models/diffusion/sampling/named_row.h"

namespace upbench {

const std::vector<LatentResizeRow>& latent_resizes() {
  static const std::vector<LatentResizeRow> rows{
      {LatentResize::bilinear, "latent", "bilinear; A1111's Latent"},
      {LatentResize::bilinear_antialiased, "latent-antialiased", "bilinear, widened when shrinking"},
      {LatentResize::bicubic, "latent-bicubic", "cubic a = -0.75"},
      {LatentResize::bicubic_antialiased, "latent-bicubic-antialiased",
       "cubic a = -0.5, widened when shrinking"},
      {LatentResize::nearest, "latent-nearest", "one latent, floor(o in / out)"},
      {LatentResize::nearest_exact, "latent-nearest-exact", "one latent, floor((o + 0.5) in / out)"},
      {LatentResize::bislerp, "latent-bislerp", "directions along great circles; ComfyUI's"}};
  return rows;
}

bool is_latent_resize(std::string_view name) {
  return std::ranges::any_of(latent_resizes(), [&](const LatentResizeRow& row) { return row.name == name; });
}

LatentResize parse_latent_resize(std::string_view name) {
  return named_row(latent_resizes(), name, "way to enlarge latents").mode;
}

}  // namespace upbench
