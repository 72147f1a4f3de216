#pragma once

#include <string>
#include <vector>

#include "models/checkpoint/checkpoint.h"

namespace upbench {

// The networks that the tensors of a diffusion checkpoint belong to, each by canonical names (diffusers' and
// transformers'); empty: not there.
struct ModelParts {
  NamedTensors unet, autoencoder, tiny_autoencoder, control_net;
  std::vector<NamedTensors> text;  // in the order in which the UNet's context is put together
  std::string layout;              // how the file names them: "LDM", "diffusers", or of one part alone
  bool velocity_marked = false;    // an empty tensor "v_pred", by which some SDXL files say what they predict
  std::vector<std::string> left_out;  // names that belong to no part: training's schedules, averages, markers
  bool empty() const;
};

// Takes the tensors of a file apart: a whole checkpoint as LDM (CompVis, Stability AI:
// "model.diffusion_model.", "first_stage_model.", "cond_stage_model.", "conditioner.embedders.N.",
// "control_model.") or as one file of diffusers' folders ("unet.", "vae.", "text_encoder.",
// "text_encoder_2.", "controlnet."), or one part alone by its own names. Tensors are not copied and may be on
// device meta. Nothing found: all are left out.
ModelParts parts_of(NamedTensors tensors);

// Puts the parts of `more` beside those of `parts`. Throws std::invalid_argument where both hold the same
// part.
void add_parts(ModelParts& parts, ModelParts more);
// The same, but what `more` holds replaces what is there: how a VAE of its own is given to a checkpoint.
void replace_parts(ModelParts& parts, ModelParts more);

}  // namespace upbench
