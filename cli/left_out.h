#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "datasets/image_set.h"

// What commands say of files that a set leaves out because they are not named as pictures.
namespace upbench {

// On stderr, a line for each source that has some.
void note_left_out(const std::vector<LeftOut>& left_out);

// {".txt": 2}; of several sources together.
nlohmann::json left_out_json(const std::map<std::string, std::size_t>& files);
nlohmann::json left_out_json(const std::vector<LeftOut>& left_out);

}  // namespace upbench
