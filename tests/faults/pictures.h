#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

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
// Of both kinds, in a run with --lenient.
FaultTable lenient_pictures();

// A sound picture, hr/b.png beside hr/a.png and a spec, that is no longer what it was when its trial comes.
struct PictureChange {
  Fault fault;
  std::function<void(const std::filesystem::path& file)> change;  // between plan and trial
};
std::vector<PictureChange> picture_changes();
// One that may not be read: changed before the plan.
PictureChange closed_picture();
// All of them for the page.
FaultTable changed_pictures();

// spec.yaml: references in that folder, made two times smaller, upscaled by these models.
void write_picture_spec(const std::filesystem::path& folder, const std::string& models);

}  // namespace upbench::test
