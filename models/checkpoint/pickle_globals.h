#pragma once

#include "models/checkpoint/unpickler.h"

namespace upbench {

// Refuses a name that a checkpoint of tensors has no use for.
void check_global(const std::string& name);

// What `function(*arguments)` would give, for the three functions that rebuild a state dictionary; others are
// refused.
PickleValue call_global(const std::string& function, const PickleTuple& arguments);

// The storage that a persistent id names: ('storage', class, key, location, elements[, view]).
StorageRef storage_of(const PickleValue& persistent_id);

}  // namespace upbench
