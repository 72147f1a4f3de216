#pragma once

#include <string>
#include <vector>

#include "harness/stage_kinds.h"
#include "models/diffusion/tiled/fused_tiles.h"
#include "models/diffusion/tiled/redraw_plan.h"

// `refine: {tile: {...}}`: which settings there are, which of them matter beside the others, and what they
// mean for a picture.
namespace upbench {

std::vector<ParameterKind> tile_parameters();

bool is_tiled(const nlohmann::json& settings);
bool is_fused(const nlohmann::json& settings);  // tiled, and the network's predictions are merged
bool fixes_seams(const nlohmann::json& settings);

// Settings without effect beside the others at their defaults; the noise levels of seam passes as
// `seam-levels`; a refusal for what cannot be. factor: pixels to a latent.
void settle_tiles(SettledStage& stage, int factor);

// Of settled settings.
RedrawSettings redraw_settings(const nlohmann::json& settings);
FusionSettings fusion_settings(const nlohmann::json& settings, int factor);
CropRule crop_rule(const nlohmann::json& settings);

// What tiles do to pictures of this size, in the place of what the whole picture would: tiles, evaluations,
// pixels. inside: the picture with sides that are multiples of the factor.
void add_tile_work(const nlohmann::json& settings, int factor, PictureSize picture, PictureSize inside,
                   StageOutcome& made);

// What of them the pixels depend on, null where one tile covers the picture and changes nothing; notes say
// why cells with other settings compute the same.
nlohmann::json tile_effect(const nlohmann::json& settings, int factor, PictureSize picture,
                           PictureSize inside, std::vector<SameNote>& notes);

}  // namespace upbench
