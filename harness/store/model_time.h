#pragma once

#include <string>

#include "datasets/digest.h"
#include "harness/store/sqlite.h"

// Model times beside their samples in `timings`: JSON in `meta`, under 'model-time OUTPUT' and
// 'timing-session KEY' (hashes in small hexadecimal digits).
namespace upbench {

std::string model_time_name(const Digest& output);
std::string read_meta(Database& database, const std::string& name);  // empty: not there

// While `other` is attached and before its timings come over: the facts of those that will.
void add_model_times(Database& database);

}  // namespace upbench
