#pragma once

#include <string>

#include "tests/faults/fault.h"

namespace upbench::test {

// The folder that a fault of these tables puts its picture into; the fault's name is the picture's name, its
// command runs write_picture_spec()'s spec. Sound pictures may lie beside it.
inline constexpr char kPictureFolder[] = "pictures";
// The message of a fault that is read without any remark.
inline constexpr char kNoRemark[] = "(no note)";

// Pictures that fail, by their reason; and those that are scored, by the note that the report shows.
FaultTable refused_pictures();
FaultTable noted_pictures();

// spec.yaml: references in that folder, made two times smaller, upscaled by these models.
void write_picture_spec(const std::filesystem::path& folder, const std::string& models);

}  // namespace upbench::test
