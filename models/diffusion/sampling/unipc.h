#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

namespace upbench {

// A guess of the clean picture and the level of its x as -log sigma.
struct UniPcGuess {
  at::Tensor picture;
  double lambda = 0;
};

// One update of UniPC (Zhao, Bai, Rao, Zhou, Lu, UniPC: a unified predictor-corrector framework for fast
// sampling of diffusion models, 2023) for guesses of the picture: x at guesses[0] -> x at `target`, which is
// -log sigma. guesses: the one at x first, then those of earlier levels; as many as the order, 1 .. 3. With
// the guess at the target itself, `arrived`, the step is the corrector's. exponential: B(h) = e^h - 1, else
// h.
at::Tensor unipc_step(const at::Tensor& x, const std::vector<UniPcGuess>& guesses, double target,
                      const at::Tensor* arrived, bool exponential);

}  // namespace upbench
