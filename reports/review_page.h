#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace upbench {

// The page of write_review(). entries: a list of {output, picture, cell, detector, value, threshold, flagged,
// weight, region, pictures: {name: file}, ...}.
std::string review_page(const std::string& title, const std::string& run, const nlohmann::json& entries);

}  // namespace upbench
