#pragma once

#include "models/checkpoint/checkpoint.h"

namespace upbench {

// The tensors of a text encoder by their canonical names ("text_model.…", "text_projection.weight"), which
// are transformers'. Takes those below "cond_stage_model." or "conditioner.embedders.N." of a single-file
// checkpoint:
//   CLIP-L     "transformer.text_model.…", or without "text_model." as some merging tools and transformers 5
//   write; OpenCLIP   "model.transformer.resblocks.N.attn.in_proj_weight", "model.ln_final.weight",
//   "model.text_projection"
//              (there transposed), …, with or without "model.";
// and what is canonical already. Nothing is copied: queries, keys and values are rows of in_proj, the
// projection is a transposed view. Left out, as no output depends on them: position_ids, logit_scale,
// attn_mask. Other names stay as they are. tensors may be on device meta.
NamedTensors clip_text_from_ldm(const NamedTensors& tensors);

}  // namespace upbench
