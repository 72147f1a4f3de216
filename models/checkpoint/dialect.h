#pragma once

#include <map>
#include <string>

#include "models/checkpoint/checkpoint.h"
#include "models/checkpoint/unpickler.h"

namespace upbench {

struct StateDict {
  std::string
      dialect;  // the path of keys that led to it, "state_dict/params"; "plain": the outermost dictionary
  std::map<std::string, const TensorRef*> tensors;
};

// The dictionary of tensors in what torch.save wrote. From the outermost inwards, the first of these keys
// that holds a dictionary is followed: params_ema, params, state_dict, model_state_dict, model, module,
// net_g_ema, net_g, netG, generator. Where none does, the tensors of the dictionary itself are taken; numbers
// and texts beside them are left. Refuses a dictionary without tensors.
StateDict select_state_dict(const PickleValue& root);

// Removes "module.", "netG.", "net_g.", "generator." from the names where every name begins with it, and says
// so in the dialect.
void strip_prefixes(Checkpoint& checkpoint);

}  // namespace upbench
