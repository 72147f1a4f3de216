#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/checkpoint/checkpoint.h"

namespace upbench {

// What a file's names and shapes tell.
struct LoraFacts {
  std::string dialect;  // "kohya", "diffusers"
  std::size_t modules = 0;
  std::int64_t least_rank = 0, greatest_rank = 0;
  std::int64_t context_width = 0;  // of the UNet it was trained on; 0: cannot be told
  std::string family;              // "SD 1 (its context is 768 wide)"
};
// tensors may be on device meta. Unset: no tensor is called as a LoRA's are. Throws std::invalid_argument for
// a LoRA that merge_lora() would refuse whatever the checkpoint.
std::optional<LoraFacts> lora_facts(const NamedTensors& tensors);

struct LoraReport {
  std::string dialect;          // "kohya", "diffusers"
  std::size_t merged_unet = 0;  // modules
  std::size_t merged_text = 0;
  std::vector<std::string> unmatched;  // modules of the file that no given network has, ascending
  std::size_t merged() const { return merged_unet + merged_text; }
};

// Adds strength * alpha / rank * up * down of each module of `lora` to the weights of the networks: computed
// in float32, stored back in the tensor's dtype as a new tensor (what shares the old one's memory keeps its
// values). Strength 0 checks the file and leaves every bit.
//
// unet: diffusers' names. text_encoders: transformers' names, in order (SDXL: CLIP-L, OpenCLIP-bigG); a
// module for an encoder that is not given is `unmatched`. lora: kohya's names (lora_unet_…, lora_te_…,
// lora_te1_…, lora_te2_…, with diffusers' or LDM's names of modules) or those of diffusers and peft
// (unet.….lora_A.weight, .lora.down.weight, …processor.to_q_lora.down.weight). Linear layers and
// convolutions, with a middle matrix where LoCon has one. Without an alpha it equals the rank, as in
// diffusers.
//
// Throws std::invalid_argument, and then nothing was changed: nothing matches or shapes do not fit (naming
// the family that the file looks made for and the way round); LoHa, LoKr, DoRA, OFT, (IA)^3 and full
// differences, by name; a module with only one of its matrices; numbers that are not finite.
LoraReport merge_lora(NamedTensors& unet, const std::vector<NamedTensors*>& text_encoders,
                      const NamedTensors& lora, double strength);

}  // namespace upbench
