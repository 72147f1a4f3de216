#pragma once

#include <string>

#include "datasets/digest.h"

// Names of pictures in a store's output folder (Store::output_folder()), all PNG of 8 bit, RGB.
namespace upbench {

// An output by its content: "ab/abcdef....png".
std::string kept_output_name(const Digest& pixels);

// Of a picture of the set, by ImageRow::key: what the pipeline got, and the reference that outputs of this
// picture were scored with (cut to their size).
std::string kept_input_name(const Digest& image);
std::string kept_reference_name(const Digest& image);

}  // namespace upbench
