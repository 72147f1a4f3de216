#pragma once

#include <cstdint>
#include <optional>

#include "datasets/codec/raster.h"
#include "reports/run_data.h"

namespace upbench {

// The pictures that a run's stores kept. Nothing where a file is gone, cannot be decoded, or is not RGB of 8
// bit. `data` outlives it. Thread-safe.
class PictureFiles {
 public:
  explicit PictureFiles(const RunData& data) : data_(data) {}

  bool any_folder() const;  // false: there is nothing to look for
  bool has_output(const RunData::Trial& trial) const;
  std::optional<Raster> output(const RunData::Trial& trial) const;
  // Where a detector found something: grey, coarser than the output that it covers. Nothing for a file that
  // would lie outside the folder.
  std::optional<Raster> map(const RunData::Trial& trial, const RunData::Map& map) const;
  std::optional<Raster> input(std::uint32_t image) const;      // what the pipeline got
  std::optional<Raster> reference(std::uint32_t image) const;  // what its outputs were scored with

 private:
  std::optional<Raster> of_set(const std::string& name) const;

  const RunData& data_;
};

}  // namespace upbench
