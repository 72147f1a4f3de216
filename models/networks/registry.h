#pragma once

#include <string>
#include <vector>

#include "models/networks/network.h"

namespace upbench {

// A network as a file holds it, ready to be placed on a device.
struct LoadedNetwork {
  NetworkMatch match;
  NamedTensors weights;  // by canonical name, in the file's dtypes
  Digest hash;           // of the file's tensors by their own names
  std::string dialect;
  std::string licence;  // as the file's metadata states it; empty: it does not
};

std::vector<std::string> architecture_names();

// The one architecture whose tensors these are, all of them and no other, with the right shapes and of a
// floating-point type. Throws std::invalid_argument: the nearest architectures (up to three), and of each the
// first five missing, unexpected and misshapen tensors.
NetworkMatch recognise(const NamedTensors& tensors);

LoadedNetwork load_network(const Checkpoint& checkpoint);

}  // namespace upbench
