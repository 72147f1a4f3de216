#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint/checkpoint.h"
#include "models/checkpoint/unpickler.h"

namespace upbench {

struct StateDict {
  std::string dialect;  // see Checkpoint::dialect
  std::map<std::string, TensorRef> tensors;
};

// The dictionary of tensors in what torch.save wrote. From the outermost inwards, the first of these keys
// that holds a dictionary or a whole module is followed: params_ema, params-ema, params, state_dict,
// model_state_dict, model, module, net_g_ema, net_g, netG, generator, net. Where none does, the tensors of
// the dictionary itself are taken; numbers and texts beside them are left. Where it has none, the only
// dictionary or module within it that leads to any is followed, whatever its key. A module gives what its
// state_dict() would. Refuses a dictionary without tensors, and several that could be meant, naming them.
//
// param_key, where it is not empty, replaces this rule: a path of keys, "state_dict/params"; ".": the
// outermost dictionary. The last may also be what names begin with before a dot: of state_dict's tensors
// "model.w" and "loss.w", "state_dict/model" gives "w". Refuses a path that is not there, naming those that
// are.
StateDict select_state_dict(const PickleValue& root, std::string_view param_key);

// In a format without dictionaries, the beginnings of names are the keys: where every name begins with
// "params_ema.", "params-ema.", "params.", "state_dict." or "model_state_dict.", those with the first of
// these that there is are taken. param_key, where it is not empty, replaces this rule: the names that begin
// with it and a dot; ".": all. Returns how many bytes of them these are. Refuses a key with which no name
// begins, naming the beginnings that there are.
std::size_t select_names(CheckpointHeader& header, std::string_view param_key);

// Which of "module.", "_orig_mod.", "netG.", "net_g.", "generator." every name begins with behind its first
// `from` bytes, outermost first.
std::vector<std::string_view> shared_prefixes(const std::map<std::string, TensorEntry>& tensors,
                                              std::size_t from);

}  // namespace upbench
