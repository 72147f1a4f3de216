#pragma once

#include <filesystem>

#include "datasets/image_set.h"

namespace upbench {

// A set's manifest, as strict as a spec: see harness/spec.h and datasets/manifest.h. At most 64 MB of text.
//   name, licence, source: texts
//   made: {by, scale, kernel, kernel_version, degrade, degradation_version, seed,
//     cropped}
//   items: [{file, sha256, name, hr, hr_sha256, tags, from, from_sha256, degradation, notes}], file and
//   sha256
//     needed, hr and hr_sha256 together; paths relative to the manifest
// Throws SpecError, std::runtime_error where the file cannot be read.
SetManifest read_manifest(const std::filesystem::path& file);

// Fills spec.manifest and spec.manifest_file.
void use_manifest(const std::filesystem::path& file, ImageSetSpec& spec);

// The pictures that a YAML file names: those of a spec (its `images`), or of a manifest (which has `items`).
ImageSetSpec read_set(const std::filesystem::path& file);

}  // namespace upbench
