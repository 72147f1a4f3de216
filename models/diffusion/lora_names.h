#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/checkpoint/checkpoint.h"

namespace upbench {

// The matrices of one module of a LoRA file; undefined: not there.
struct LoraModule {
  at::Tensor down, up, middle;  // [rank, inputs(, k, k)], [outputs, rank(, 1, 1)], [rank, rank, k, k]
  at::Tensor alpha;             // one number
};

struct LoraFile {
  std::string dialect;                        // "kohya" where any name begins as kohya's do, else "diffusers"
  std::map<std::string, LoraModule> modules;  // by what precedes the matrix's name in the file
};

// Whether any tensor is called as those of a LoRA or of a kindred adapter are.
bool has_lora_names(const NamedTensors& tensors);

// Sorts a file's tensors into modules. Throws std::invalid_argument for kinds of adapters that are no LoRA,
// by name, and for names that no LoRA has.
LoraFile lora_modules(const NamedTensors& lora);

// A weight of a network: which network (0: the UNet, then text encoders) and the tensor's canonical name.
struct LoraTarget {
  std::size_t network = 0;
  std::string tensor;
  bool operator<(const LoraTarget& other) const {
    return network != other.network ? network < other.network : tensor < other.tensor;
  }
};

// By the names that LoRA files of any dialect give modules. Of text encoders that are not given there are
// none. with_ldm: LDM's names of the UNet's modules too, for which its tensors must be a whole UNet
// (unet_facts()).
std::map<std::string, LoraTarget> lora_targets(const NamedTensors& unet,
                                               const std::vector<const NamedTensors*>& text, bool with_ldm);

// Whether a module of the file is called as LDM calls those of a UNet.
bool has_ldm_modules(const LoraFile& file);

// The module's name as lora_targets() lists it: without what several generations of diffusers put around it.
std::string plain_module(std::string name);

}  // namespace upbench
