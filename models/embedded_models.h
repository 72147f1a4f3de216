#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace upbench {

// A checkpoint of models/embedded/, compiled into the program.
struct EmbeddedModel {
  std::string name;  // the file's stem
  const void* data;
  std::size_t size;
};

// Networks that enlarge, and diffusion models that refine: those that were there when the build was
// configured.
const std::vector<EmbeddedModel>& embedded_models();
const std::vector<EmbeddedModel>& embedded_refiners();

}  // namespace upbench
