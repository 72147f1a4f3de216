#pragma once

#include <string>

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "models/checkpoint/checkpoint.h"

namespace upbench::test {

// What tests compare with: a Python script of this folder runs the peer library on numbers of a fixed seed
// and writes tensors. The interpreter is that of the environment, or $UPBENCH_PEER_PYTHON.

// Whether that interpreter has the packages, named as they are imported: "diffusers, transformers".
bool has_peer_packages(const std::string& packages);

// The tensors that peers/`script`.py writes. It is run as `python -B script.py FOLDER` once a build folder,
// and again where the script or the interpreter changed; it writes FOLDER/out.safetensors (peer.py has the
// function) and prints the versions of its packages. Throws std::runtime_error with what it said where it
// fails.
const NamedTensors& run_peer(const std::string& script);

// Those whose names begin with `prefix`, without it.
NamedTensors below(const NamedTensors& tensors, const std::string& prefix);

// |ours - expected|, the largest, by the largest |expected|; infinite where shapes differ or a number is not
// finite.
double relative_error(const at::Tensor& ours, const at::Tensor& expected);

}  // namespace upbench::test

// First line of a test that needs the peers; `packages` as above.
#define UPBENCH_NEEDS_PEERS(packages)                                                       \
  do {                                                                                      \
    if (!upbench::test::has_peer_packages(packages))                                        \
      GTEST_SKIP() << "Python has no " << (packages) << ": scripts/setup.sh installs them"; \
  } while (false)
