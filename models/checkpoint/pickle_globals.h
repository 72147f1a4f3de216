#pragma once

#include <string>

#include "models/checkpoint/unpickler.h"

namespace upbench {

// Is it one of the names that a checkpoint of tensors uses?
bool is_known_global(const std::string& name);

// Refuses a name that a checkpoint of tensors has no use for.
void check_global(const std::string& name);

// What `function(*arguments)` would give, for the functions that rebuild tensors and containers; others are
// refused.
PickleValue call_global(const std::string& function, const PickleTuple& arguments);

// The storage that a persistent id names: ('storage', class, key, location, elements[, view]).
StorageRef storage_of(const PickleValue& persistent_id);

// The class that a persistent id ('module', class, source file, source text) names; null for another id.
const PickleGlobal* module_class_of(const PickleValue& persistent_id);

}  // namespace upbench
