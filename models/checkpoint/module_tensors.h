#pragma once

#include <map>
#include <string>

#include "models/checkpoint/unpickler.h"

namespace upbench {

// The tensors that module.state_dict() would give, by the same names: parameters and buffers (without those
// of _non_persistent_buffers_set), then those of its modules behind "NAME.". Refuses modules nested more than
// 64 deep, more than a million items in all of them (those of a module that is held twice count twice), and a
// name that is there twice.
std::map<std::string, TensorRef> module_tensors(const PickleModule& module);

}  // namespace upbench
